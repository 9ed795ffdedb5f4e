#include "cpu.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace halftone {
namespace {

#if defined(_M_X64)
bool has_avx2() {
  int leaf1[4], leaf7[4];
  __cpuid(leaf1, 1);
  __cpuidex(leaf7, 7, 0);
  constexpr int fma = 1 << 12, os_saves_registers = 1 << 27, avx = 1 << 28, f16c = 1 << 29, wanted = fma | os_saves_registers | avx | f16c;
  if ((leaf1[2] & wanted) != wanted || !(leaf7[1] & (1 << 5))) return false;
  return (_xgetbv(0) & 6) == 6;  // the system saves the upper halves of the registers
}
bool avx512() {
  int leaf7[4];
  __cpuidex(leaf7, 7, 0);
  constexpr int foundation = 1 << 16, doublewords = 1 << 17, bytes = 1 << 30, narrow = 1 << 31, permutations = 1 << 1, sums = 1 << 11;
  constexpr int wanted = foundation | doublewords | bytes | narrow;
  if ((leaf7[1] & wanted) != wanted || (leaf7[2] & (permutations | sums)) != (permutations | sums)) return false;
  return (_xgetbv(0) & 0xe6) == 0xe6;  // the system saves the wide and the mask registers
}
#elif defined(__x86_64__)
bool avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }
#endif

Simd widest() {
#if defined(HALFTONE_X64)
  return has_avx2() ? Simd::avx2 : Simd::scalar;
#elif defined(HALFTONE_ARM64)
  return Simd::neon;
#else
  return Simd::scalar;
#endif
}

Simd at_start() {
  const char* wanted = std::getenv("HALFTONE_SIMD");
  return wanted && std::strcmp(wanted, "scalar") == 0 ? Simd::scalar : widest();
}

std::atomic<Simd>& chosen() {
  static std::atomic<Simd> value{at_start()};
  return value;
}

}  // namespace

Simd simd() { return chosen().load(std::memory_order_relaxed); }

bool has_avx512() {
#if defined(HALFTONE_X64)
  static const bool result = has_avx2() && avx512();
  return result;
#else
  return false;
#endif
}

const char* simd_name(Simd set) {
  constexpr const char* names[] = {"scalar", "avx2", "neon"};
  return names[static_cast<int>(set)];
}

bool set_simd(const char* name) {
  if (std::strcmp(name, "auto") == 0) {
    chosen() = at_start();
    return true;
  }
  for (Simd set : {Simd::scalar, widest()}) {
    if (std::strcmp(name, simd_name(set)) != 0) continue;
    chosen() = set;
    return true;
  }
  return false;
}

}  // namespace halftone
