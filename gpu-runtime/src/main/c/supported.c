// Whether this processor and its operating system run this library's code. Built for any x86-64.
int stator_supported(void) {
  __builtin_cpu_init();
#if defined(STATOR_AVX512)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni")
#if defined(STATOR_BF16)
         && __builtin_cpu_supports("avx512bf16")
#endif
      ;
#elif defined(STATOR_AVXVNNI)
  return __builtin_cpu_supports("avxvnni") && __builtin_cpu_supports("fma");
#else
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
}
