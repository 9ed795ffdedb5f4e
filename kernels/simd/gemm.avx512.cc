#include <immintrin.h>

#include "gemm_tile.h"

namespace halftone {
namespace {

struct Floats {
  using T = float;
  using Register = __m512;
  static constexpr int lanes = 16, rows = 12, panels = 2;
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Register v) { _mm512_storeu_ps(p, v); }
  static Register splat(float x) { return _mm512_set1_ps(x); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
};

struct Doubles {
  using T = double;
  using Register = __m512d;
  static constexpr int lanes = 8, rows = 12, panels = 2;
  static Register load(const double* p) { return _mm512_loadu_pd(p); }
  static void store(double* p, Register v) { _mm512_storeu_pd(p, v); }
  static Register splat(double x) { return _mm512_set1_pd(x); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_pd(a, b, c); }
};

}  // namespace

extern const BlockKernel<float> block_float_avx512 = multiply_block<Floats>;
extern const BlockKernel<double> block_double_avx512 = multiply_block<Doubles>;

}  // namespace halftone
