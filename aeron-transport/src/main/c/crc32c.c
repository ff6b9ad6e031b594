// CRC32C of a block, and a copy that takes it along, so that a block is read once.
//
// Method: V. Gopal and others, "Fast CRC computation for generic polynomials using PCLMULQDQ", Intel 2009. 256 bytes, in
// lanes of 16, are the state; a step multiplies each lane by x^2048 modulo the polynomial and adds the next 256 bytes. What
// remains is 256 bytes with the checksum of all that were read, and goes through the crc32 instruction.
#define _GNU_SOURCE
#include <immintrin.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#if defined(STATOR_AVX512)
typedef __m512i vector;
#define LOAD(from) _mm512_loadu_si512(from)
#define STORE(to, value) _mm512_storeu_si512(to, value)
#define STREAM(to, value) _mm512_stream_si512((void *)(to), value)
#define SPREAD(lane) _mm512_broadcast_i32x4(lane)
#define WIDEN(lane) _mm512_zextsi128_si512(lane)
#define XOR(a, b) _mm512_xor_si512(a, b)
#define MULTIPLY(a, b, halves) _mm512_clmulepi64_epi128(a, b, halves)
#else
typedef __m256i vector;
#define LOAD(from) _mm256_loadu_si256((const void *)(from))
#define STORE(to, value) _mm256_storeu_si256((void *)(to), value)
#define STREAM(to, value) _mm256_stream_si256((void *)(to), value)
#define SPREAD(lane) _mm256_broadcastsi128_si256(lane)
#define WIDEN(lane) _mm256_zextsi128_si256(lane)
#define XOR(a, b) _mm256_xor_si256(a, b)
#define MULTIPLY(a, b, halves) _mm256_clmulepi64_epi128(a, b, halves)
#endif

#define STEP 256  // Bytes.
#define VECTOR ((int)sizeof(vector))
#define VECTORS (STEP / VECTOR)
#define AHEAD 8192  // Bytes, beyond where the processor looks by itself. Fetching what is not there does nothing.

// From this length on, bytes go past the caches, where they are aligned: nobody reads a block right after it has come, and
// what it would replace need not be read from memory first, nor written back.
#define STREAMED 16384

// x^(2048 + 63) and x^(2048 - 1) modulo 0x11EDC6F41, bits reflected: for a lane's first half, which stands 64 bits higher, and
// its second. Both one less than the distance, because a product of reflected halves comes out shifted by one.
#define FIRST_HALF 0xe9a5d8be00000000ull
#define SECOND_HALF 0x1426a81500000000ull

static uint32_t crc_bytes(uint32_t crc, const uint8_t *from, int64_t length) {
  uint64_t wide = crc;
  for (; length >= 8; from += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, from, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  for (; length > 0; from++, length--) wide = _mm_crc32_u8((uint32_t)wide, *from);
  return (uint32_t)wide;
}

enum way { CHECKS, COPIES, STREAMS };

// What is stored is what was multiplied: a source that changes meanwhile cannot come between.
static inline __attribute__((always_inline)) uint32_t run(uint8_t *to, const uint8_t *from, int64_t length, enum way way) {
  uint32_t crc = 0xffffffff;
  int64_t at = 0;
  if (length >= STEP) {
    const vector factor = SPREAD(_mm_set_epi64x((long long)SECOND_HALF, (long long)FIRST_HALF));
    vector state[VECTORS];
    for (int i = 0; i < VECTORS; i++) {
      state[i] = LOAD(from + i * VECTOR);
      if (way != CHECKS) STORE(to + i * VECTOR, state[i]);
    }
    state[0] = XOR(state[0], WIDEN(_mm_cvtsi32_si128((int)crc)));
    for (at = STEP; at + STEP <= length; at += STEP) {
      for (int i = 0; i < VECTORS; i++) {
        const vector next = LOAD(from + at + i * VECTOR);
        if (way == COPIES) STORE(to + at + i * VECTOR, next);
        if (way == STREAMS) STREAM(to + at + i * VECTOR, next);
        if (way == CHECKS && i * VECTOR % 64 == 0) {
          _mm_prefetch((const char *)from + at + i * VECTOR + AHEAD, _MM_HINT_T0);
        }
        const vector first = MULTIPLY(state[i], factor, 0x00);
        const vector second = MULTIPLY(state[i], factor, 0x11);
        state[i] = XOR(XOR(first, second), next);
      }
    }
    uint8_t left[STEP];
    for (int i = 0; i < VECTORS; i++) STORE(left + i * VECTOR, state[i]);
    crc = crc_bytes(0, left, STEP);
  }
  if (way != CHECKS) {
    uint8_t rest[STEP];
    memcpy(rest, from + at, (size_t)(length - at));
    memcpy(to + at, rest, (size_t)(length - at));
    crc = crc_bytes(crc, rest, length - at);
  } else {
    crc = crc_bytes(crc, from + at, length - at);
  }
  if (way == STREAMS) _mm_sfence();
  return ~crc;
}

static __attribute__((noinline)) int64_t checksum(const uint8_t *from, int64_t length) {
  return run(NULL, from, length, CHECKS);
}

static __attribute__((noinline)) int64_t copy(uint8_t *to, const uint8_t *from, int64_t length) {
  const int streams = length >= STREAMED && (uintptr_t)to % VECTOR == 0;
  return streams ? run(to, from, length, STREAMS) : run(to, from, length, COPIES);
}

// A page that is not there any more, because another process cut its file short or memory ran out, is SIGBUS. The JVM
// handles that in its own code and ends the process in ours, so ours comes first, and gives it all that is not ours.
static struct sigaction next_handler;
static _Thread_local sigjmp_buf *volatile rescue __attribute__((tls_model("initial-exec")));

static void on_bus_error(int signal, siginfo_t *info, void *context) {
  if (rescue != NULL) {
    pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
    siglongjmp(*rescue, 1);
  }
  if (next_handler.sa_flags & SA_SIGINFO) {
    next_handler.sa_sigaction(signal, info, context);
  } else if (next_handler.sa_handler == SIG_DFL || next_handler.sa_handler == SIG_IGN) {
    sigaction(SIGBUS, &next_handler, NULL); // It happens again at once, and ends the process.
  } else {
    next_handler.sa_handler(signal);
  }
}

// 0 when the process is ready for the functions below; to be called once.
int stator_install(void) {
  if (sigaction(SIGBUS, NULL, &next_handler) != 0) return -1;
  struct sigaction own = next_handler;
  own.sa_sigaction = on_bus_error;
  own.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  return sigaction(SIGBUS, &own, NULL);
}

// Evaluates a call, or gives -1 when a page is not there. The barriers keep the compiler from moving it out of between.
#define RESCUED(call)                  \
  sigjmp_buf here;                     \
  if (sigsetjmp(here, 0) != 0) {       \
    rescue = NULL;                     \
    return -1;                         \
  }                                    \
  rescue = &here;                      \
  __asm__ volatile("" ::: "memory");   \
  const int64_t result = call;         \
  __asm__ volatile("" ::: "memory");   \
  rescue = NULL;                       \
  return result

// The CRC32C of the bytes, or -1 when a page of them is not there.
int64_t stator_crc32c(const uint8_t *from, int64_t length) { RESCUED(checksum(from, length)); }

// Copies bytes to where none of them lie; the CRC32C of what lies there now, or -1 when a page is not there, and part of it
// may have been copied.
int64_t stator_copy_crc32c(uint8_t *to, const uint8_t *from, int64_t length) { RESCUED(copy(to, from, length)); }
