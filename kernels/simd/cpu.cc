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
struct Features {
  int leaf1[4], leaf7[4];
  unsigned long long saved = 0;  // registers that the system saves

  Features() {
    __cpuid(leaf1, 1);
    __cpuidex(leaf7, 7, 0);
    constexpr int asks_system = 1 << 27;
    if (leaf1[2] & asks_system) saved = _xgetbv(0);
  }
  static bool all(int bits, int wanted) { return (bits & wanted) == wanted; }

  bool avx2() const {
    constexpr int fma = 1 << 12, avx = 1 << 28, f16c = 1 << 29;
    return all(leaf1[2], fma | avx | f16c) && all(leaf7[1], 1 << 5) && (saved & 6) == 6;
  }
  bool avx512() const {
    constexpr int foundation = 1 << 16, doublewords = 1 << 17, bytes = 1 << 30, narrow = 1 << 31;
    return all(leaf7[1], foundation | doublewords | bytes | narrow) && (saved & 0xe6) == 0xe6;
  }
  bool vnni() const {
    constexpr int permutations = 1 << 1, sums = 1 << 11;
    return all(leaf7[2], permutations | sums);
  }
};
#elif defined(__x86_64__)
struct Features {  // these ask the system too
  bool avx2() const { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }
  bool avx512() const {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  }
  bool vnni() const { return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni"); }
};
#endif

std::vector<Simd> find_sets() {
  std::vector<Simd> sets = {Simd::scalar};
#if defined(HALFTONE_X64)
  const Features features;
  if (!features.avx2()) return sets;
  sets.push_back(Simd::avx2);
  if (!features.avx512()) return sets;
  sets.push_back(Simd::avx512);
  if (features.vnni()) sets.push_back(Simd::avx512vnni);
#elif defined(HALFTONE_ARM64)
  sets.push_back(Simd::neon);
#endif
  return sets;
}

// nullptr where this machine has no set of this name.
const Simd* find_set(const char* name) {
  for (const Simd& set : simd_sets()) {
    if (std::strcmp(name, simd_name(set)) == 0) return &set;
  }
  return nullptr;
}

Simd at_start() {
  const char* wanted = std::getenv("HALFTONE_SIMD");
  const Simd* set = wanted ? find_set(wanted) : nullptr;
  return set ? *set : simd_sets().back();
}

std::atomic<Simd>& chosen() {
  static std::atomic<Simd> value{at_start()};
  return value;
}

}  // namespace

Simd simd() { return chosen().load(std::memory_order_relaxed); }

const std::vector<Simd>& simd_sets() {
  static const std::vector<Simd> sets = find_sets();
  return sets;
}

const char* simd_name(Simd set) {
  constexpr const char* names[] = {"scalar", "avx2", "avx512", "avx512vnni", "neon"};
  return names[static_cast<int>(set)];
}

bool set_simd(const char* name) {
  if (std::strcmp(name, "auto") == 0) {
    chosen() = at_start();
    return true;
  }
  const Simd* set = find_set(name);
  if (set) chosen() = *set;
  return set != nullptr;
}

}  // namespace halftone
