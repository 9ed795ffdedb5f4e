#include <immintrin.h>

#include "qmatmul_tile.h"

namespace halftone {
namespace {

struct Floats {
  using Register = __m256;
  static constexpr int lanes = 8, dot_sums = 4;
  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Register v) { _mm256_storeu_ps(p, v); }
  static Register splat(float x) { return _mm256_set1_ps(x); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register mul(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }

  static void prefetch(const void* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

  static float sum(Register v) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

  template <int bits, int first>
  static Register code_of(Register word, Register next) {
    __m256i code = _mm256_srli_epi32(_mm256_castps_si256(word), first);
    if constexpr (first + bits > 32)
      code = _mm256_or_si256(code, _mm256_slli_epi32(_mm256_castps_si256(next), 32 - first));
    return _mm256_cvtepi32_ps(_mm256_and_si256(code, _mm256_set1_epi32((1 << bits) - 1)));
  }

  // One little-endian word, of four or eight bytes, in all lanes.
  template <typename Word>
  static __m256i word_of(const uint8_t* p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    if constexpr (sizeof word == 8)
      return _mm256_set1_epi64x(word);
    else
      return _mm256_set1_epi32(word);
  }

  // Eight codes of one little-endian word, the first at bit `first`.
  template <int bits, int first>
  static Register spread(const uint8_t* p) {
    const __m256i shifts = _mm256_setr_epi32(first, first + bits, first + 2 * bits, first + 3 * bits, first + 4 * bits,
                                             first + 5 * bits, first + 6 * bits, first + 7 * bits);
    __m256i codes =
        _mm256_and_si256(_mm256_srlv_epi32(word_of<int32_t>(p), shifts), _mm256_set1_epi32((1 << bits) - 1));
    return _mm256_cvtepi32_ps(codes);
  }

  static Register bytes(const uint8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }

  template <int bits>
  static void unpack(const uint8_t* p, Register* out) {
    if constexpr (bits == 8) {
      out[0] = bytes(p);
      out[1] = bytes(p + 8);
    } else {
      // Codes 8..15 begin at bit 8 · bits; their word ends with the last byte of the sixteen.
      constexpr int second = 2 * bits - 4;
      out[0] = spread<bits, 0>(p);
      out[1] = spread<bits, 8 * (bits - second)>(p + second);
    }
  }

  // Two bits and three: codes 8..15 from a word that begins so late that none of them has the sign bit. Four bits: a
  // word has eight, so that words of codes 0..7 and 8..15 alternate; the later halves of both come from one byte
  // further on.
  static constexpr Placing alternating() {
    Placing placing = {};
    for (int i = 0; i < 16; i++) {
      placing.code[i] = static_cast<int8_t>(i / 8 * 4 + i % 2 * 8 + i % 8 / 2);
      placing.bit[i] = static_cast<int8_t>(i / 8 * 8 + i % 8 / 2 * 4);
    }
    return placing;
  }
  template <int bits>
  static constexpr Placing placing = bits == 2   ? straight(2, 0, 8)
                                     : bits == 3 ? straight(3, 0, 0)
                                     : bits == 4 ? alternating()
                                                 : straight(0, 0, 0);

  template <int bits, int first>
  static __m256i masks() {
    constexpr int ones = (1 << bits) - 1;
    constexpr const int8_t* bit = placing<bits>.bit + first;
    return _mm256_setr_epi32(ones << bit[0], ones << bit[1], ones << bit[2], ones << bit[3], ones << bit[4],
                             ones << bit[5], ones << bit[6], ones << bit[7]);
  }

  template <int bits>
  static void place(const uint8_t* p, Register* out) {
    if constexpr (bits == 8) {
      unpack<8>(p, out);
    } else if constexpr (bits == 4) {
      out[0] = _mm256_cvtepi32_ps(_mm256_and_si256(word_of<int64_t>(p), masks<bits, 0>()));
      out[1] = _mm256_cvtepi32_ps(_mm256_and_si256(word_of<int64_t>(p + 1), masks<bits, 8>()));
    } else {
      out[0] = _mm256_cvtepi32_ps(_mm256_and_si256(word_of<int32_t>(p), masks<bits, 0>()));
      out[1] = _mm256_cvtepi32_ps(_mm256_and_si256(word_of<int32_t>(p + (bits == 2 ? 1 : 3)), masks<bits, 8>()));
    }
  }

  static void transpose(Register* v) {
    Register pairs[8], fours[8];
    for (int i = 0; i < 8; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
      pairs[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      for (int j = 0; j < 2; j++) {
        fours[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
        fours[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xee);
      }
    }
    for (int i = 0; i < 4; i++) {
      v[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
      v[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
  }
};

}  // namespace

const QMatMulTable qmatmul_avx2 = qmatmul_table<Floats>;

}  // namespace halftone
