// Which instruction set the kernels use. Every kernel with a fast version looks it up in a table indexed by this.
#pragma once
#include <vector>

#if defined(__x86_64__) || defined(_M_X64)
#define HALFTONE_X64 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HALFTONE_ARM64 1
#endif

namespace halftone {

// On x86-64 each set has all of the one before it:
//   avx2        AVX2, FMA and F16C (from Haswell and Zen on)
//   avx512      AVX-512 F, BW, DQ and VL (from Skylake-X on)
//   avx512vnni  sums of byte products and byte permutations, VNNI and VBMI (from Ice Lake and Zen 4 on)
enum class Simd { scalar, avx2, avx512, avx512vnni, neon };

// The widest set of this machine, unless another was asked for with set_simd or with the environment variable
// HALFTONE_SIMD. Results differ in the last bits between sets, and are the same bytes for the same set.
Simd simd();
const char* simd_name(Simd);

// The sets of this machine, the narrowest first: what set_simd and HALFTONE_SIMD take by name, next to "auto".
const std::vector<Simd>& simd_sets();

// False where the machine lacks the set.
bool set_simd(const char* name);

}  // namespace halftone
