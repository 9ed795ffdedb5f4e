#include <arm_neon.h>

#include "gemm_tile.h"

namespace halftone {
namespace {

struct Floats {
  using T = float;
  using Register = float32x4_t;
  static constexpr int lanes = 4, rows = 6, panels = 1;
  static Register load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, Register v) { vst1q_f32(p, v); }
  static Register splat(float x) { return vdupq_n_f32(x); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }
};

struct Doubles {
  using T = double;
  using Register = float64x2_t;
  static constexpr int lanes = 2, rows = 6, panels = 1;
  static Register load(const double* p) { return vld1q_f64(p); }
  static void store(double* p, Register v) { vst1q_f64(p, v); }
  static Register splat(double x) { return vdupq_n_f64(x); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f64(c, a, b); }
};

}  // namespace

extern const BlockKernel<float> block_float_neon = multiply_block<Floats>;
extern const BlockKernel<double> block_double_neon = multiply_block<Doubles>;

}  // namespace halftone
