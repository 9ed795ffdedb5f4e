// Sixteen lanes on AVX-512, as far as GPTQ needs them. The operations and their results are those of
// reference/codec_lanes.h.
#pragma once
#include "../reference/codec_lanes.h"
#include "avx512.h"

namespace halftone {

struct Lanes16 {
  static constexpr int width = 16;
  __m512 v;

  Lanes16() = default;
  Lanes16(__m512 value) : v(value) {}
  Lanes16(float value) : v(_mm512_set1_ps(value)) {}
  static Lanes16 load(const float* from) { return _mm512_loadu_ps(from); }
  void store(float* to) const { _mm512_storeu_ps(to, v); }
};
struct Mask16 {
  __mmask16 v;
};

static inline Lanes16 operator+(Lanes16 a, Lanes16 b) { return _mm512_add_ps(a.v, b.v); }
static inline Lanes16 operator-(Lanes16 a, Lanes16 b) { return _mm512_sub_ps(a.v, b.v); }
static inline Lanes16 operator*(Lanes16 a, Lanes16 b) { return _mm512_mul_ps(a.v, b.v); }
static inline Lanes16 operator/(Lanes16 a, Lanes16 b) { return _mm512_div_ps(a.v, b.v); }
static inline Mask16 operator>(Lanes16 a, Lanes16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
static inline Lanes16 select(Mask16 mask, Lanes16 a, Lanes16 b) { return _mm512_mask_blend_ps(mask.v, b.v, a.v); }
static inline Lanes16 max(Lanes16 a, Lanes16 b) { return _mm512_max_ps(a.v, b.v); }
static inline Lanes16 min(Lanes16 a, Lanes16 b) { return _mm512_min_ps(a.v, b.v); }
static inline Lanes16 lookup8(const float* table, Lanes16 index) {
  return _mm512_permutexvar_ps(_mm512_cvttps_epi32(index.v), _mm512_castps256_ps512(_mm256_loadu_ps(table)));
}
static inline Lanes16 lookup16(const float* table, Lanes16 index) {
  return _mm512_permutexvar_ps(_mm512_cvttps_epi32(index.v), _mm512_loadu_ps(table));
}

}  // namespace halftone
