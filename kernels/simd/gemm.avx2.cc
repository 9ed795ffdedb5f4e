#include <immintrin.h>

#include "gemm_tile.h"

namespace halftone {
namespace {

struct Floats {
  using T = float;
  using Register = __m256;
  static constexpr int lanes = 8, rows = 6, panels = 1;
  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Register v) { _mm256_storeu_ps(p, v); }
  static Register splat(float x) { return _mm256_set1_ps(x); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
};

struct Doubles {
  using T = double;
  using Register = __m256d;
  static constexpr int lanes = 4, rows = 6, panels = 1;
  static Register load(const double* p) { return _mm256_loadu_pd(p); }
  static void store(double* p, Register v) { _mm256_storeu_pd(p, v); }
  static Register splat(double x) { return _mm256_set1_pd(x); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_pd(a, b, c); }
};

}  // namespace

extern const BlockKernel<float> block_float_avx2 = multiply_block<Floats>;
extern const BlockKernel<double> block_double_avx2 = multiply_block<Doubles>;

}  // namespace halftone
