// Eight lanes on AVX2. The operations and their results are those of reference/codec_lanes.h.
#pragma once
#include <immintrin.h>

#include "../reference/codec_lanes.h"

namespace halftone {

struct Lanes8 {
  static constexpr int width = 8;
  __m256 v;

  Lanes8() = default;
  Lanes8(__m256 value) : v(value) {}
  Lanes8(float value) : v(_mm256_set1_ps(value)) {}
  static Lanes8 load(const float* from) { return _mm256_loadu_ps(from); }
  static Lanes8 load(const uint8_t* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  static Lanes8 load_half(const uint8_t* from) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
  void store(float* to) const { _mm256_storeu_ps(to, v); }
  void store(uint8_t* to) const {
    __m256i whole = _mm256_cvttps_epi32(v);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
  }
  void store_half(uint8_t* to) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
};
struct Mask8 {
  __m256 v;
};

static inline Lanes8 operator+(Lanes8 a, Lanes8 b) { return _mm256_add_ps(a.v, b.v); }
static inline Lanes8 operator-(Lanes8 a, Lanes8 b) { return _mm256_sub_ps(a.v, b.v); }
static inline Lanes8 operator*(Lanes8 a, Lanes8 b) { return _mm256_mul_ps(a.v, b.v); }
static inline Lanes8 operator/(Lanes8 a, Lanes8 b) { return _mm256_div_ps(a.v, b.v); }
static inline Lanes8 operator-(Lanes8 a) { return _mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f)); }
static inline Mask8 operator>(Lanes8 a, Lanes8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
static inline Mask8 operator>=(Lanes8 a, Lanes8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
static inline Lanes8 select(Mask8 mask, Lanes8 a, Lanes8 b) { return _mm256_blendv_ps(b.v, a.v, mask.v); }
static inline Lanes8 max(Lanes8 a, Lanes8 b) { return _mm256_max_ps(a.v, b.v); }
static inline Lanes8 min(Lanes8 a, Lanes8 b) { return _mm256_min_ps(a.v, b.v); }
static inline Lanes8 abs(Lanes8 a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
static inline Lanes8 sqrt(Lanes8 a) { return _mm256_sqrt_ps(a.v); }
static inline Lanes8 to_half(Lanes8 a) {
  __m256 finite = _mm256_min_ps(_mm256_max_ps(a.v, _mm256_set1_ps(-65504.f)), _mm256_set1_ps(65504.f));
  return _mm256_cvtph_ps(_mm256_cvtps_ph(finite, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
static inline Lanes8 lookup8(const float* table, Lanes8 index) {
  return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), _mm256_cvttps_epi32(index.v));
}
static inline Lanes8 lookup16(const float* table, Lanes8 index) {
  __m256i at = _mm256_cvttps_epi32(index.v);
  __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), at);
  __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), at);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(at, 28)));  // bit 3 chooses
}

}  // namespace halftone
