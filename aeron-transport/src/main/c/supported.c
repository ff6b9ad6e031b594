// Whether this processor and its operating system run this library's code. Built for any x86-64.
int stator_supported(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("pclmul") &&
         __builtin_cpu_supports("sse4.2") &&
#if defined(STATOR_AVX512)
         __builtin_cpu_supports("avx512f");
#else
         __builtin_cpu_supports("avx2");
#endif
}
