// Which instruction set the kernels use. Every kernel with a fast version looks it up in a table indexed by this.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#define HALFTONE_X64 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HALFTONE_ARM64 1
#endif

namespace halftone {

enum class Simd { scalar, avx2, neon };

// The widest set of this machine (AVX2 means AVX2 with FMA and F16C), unless a narrower one was asked for with
// set_simd or with the environment variable HALFTONE_SIMD=scalar.
Simd simd();
const char* simd_name(Simd);

// Whether there is AVX-512 with sums of byte products and byte permutations (VNNI, VBMI: from Ice Lake and Zen 4 on).
bool has_avx512();

// Takes "scalar", "avx2", "neon" or "auto"; false where the machine lacks the set. For comparisons in tests and benches.
bool set_simd(const char* name);

}  // namespace halftone
