// Whether this processor and its operating system run this library's code. Built for any x86-64.
#if defined(STATOR_AMX)
#include <sys/syscall.h>
#include <unistd.h>

// Linux gives a process the state of the tiles when it asks for it ("Using XSTATE features in user
// space applications" in the kernel's documentation).
static int has_tiles(void) {
  const long request_permission = 0x1023;
  const long tile_data = 18;
  return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-int8") &&
         __builtin_cpu_supports("amx-bf16") &&
         syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#endif

int stator_supported(void) {
  __builtin_cpu_init();
#if defined(STATOR_AVX512)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni")
#if defined(STATOR_BF16)
         && __builtin_cpu_supports("avx512bf16")
#endif
#if defined(STATOR_AMX)
         && has_tiles()
#endif
      ;
#elif defined(STATOR_AVXVNNI)
  return __builtin_cpu_supports("avxvnni") && __builtin_cpu_supports("fma");
#else
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
}
