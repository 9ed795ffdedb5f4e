#include "avx512.h"

#include <array>

#include "qmatmul_tile.h"

namespace halftone {
namespace {

struct Floats {
  using Register = __m512;
  static constexpr int lanes = 16, dot_sums = 8;
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Register v) { _mm512_storeu_ps(p, v); }
  static Register splat(float x) { return _mm512_set1_ps(x); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register mul(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  static float sum(Register v) { return _mm512_reduce_add_ps(v); }
  static void prefetch(const void* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

  // The lowest bits of every lane as a number; up to four of them find it in a register that holds all numbers.
  template <int bits>
  static Register number(__m512i lowest) {
    constexpr int ones = (1 << bits) - 1;
    if constexpr (bits > 4) return _mm512_cvtepi32_ps(_mm512_and_si512(lowest, _mm512_set1_epi32(ones)));
    const __m512 numbers = _mm512_setr_ps(0, 1 & ones, 2 & ones, 3 & ones, 4 & ones, 5 & ones, 6 & ones, 7 & ones, 8 & ones,
                                          9 & ones, 10 & ones, 11 & ones, 12 & ones, 13 & ones, 14 & ones, 15 & ones);
    return _mm512_permutexvar_ps(lowest, numbers);
  }

  template <int bits, int first>
  static Register code_of(Register word, Register next) {
    __m512i code = _mm512_srli_epi32(_mm512_castps_si512(word), first);
    if constexpr (first + bits > 32)
      code = _mm512_or_si512(code, _mm512_slli_epi32(_mm512_castps_si512(next), 32 - first));
    return number<bits>(code);
  }

  static int32_t word_at(const uint8_t* p) {
    int32_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
  }
  // One word in lanes 0..7 and another in lanes 8..15.
  static __m512i words(const uint8_t* low, const uint8_t* high) {
    return _mm512_mask_set1_epi32(_mm512_set1_epi32(word_at(low)), 0xff00, word_at(high));
  }
  // A number for every lane: begin + step · i, from lane 8 on second + step · (i − 8).
  static __m512i ramp(int step, int begin, int second) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
    return _mm512_add_epi32(_mm512_mullo_epi32(lane, _mm512_set1_epi32(step)),
                            _mm512_mask_set1_epi32(_mm512_set1_epi32(begin), 0xff00, second));
  }

  template <int bits>
  static void unpack(const uint8_t* p, Register* out) {
    if constexpr (bits == 8) {
      *out = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    } else {
      // Codes 8..15 begin at bit 8 · bits; their word ends with the last byte of the sixteen.
      constexpr int second = 2 * bits - 4;
      *out = number<bits>(_mm512_srlv_epi32(words(p, p + second), ramp(bits, 0, 8 * (bits - second))));
    }
  }

  // Two bits: one word has all codes; the conversion is unsigned. Three: codes 8..15 from a word that begins with them.
  // Four: words of codes 0..7 and 8..15 alternate.
  static constexpr Placing alternating() {
    Placing placing = {};
    for (int i = 0; i < 16; i++) {
      placing.code[i] = static_cast<int8_t>(i % 2 * 8 + i / 2);
      placing.bit[i] = static_cast<int8_t>(i / 2 * 4);
    }
    return placing;
  }
  template <int bits>
  static constexpr Placing placing = bits == 2   ? straight(2, 0, 16)
                                     : bits == 3 ? straight(3, 0, 0)
                                     : bits == 4 ? alternating()
                                                 : straight(0, 0, 0);

  template <int bits>
  static void place(const uint8_t* p, Register* out) {
    if constexpr (bits == 8) return unpack<8>(p, out);
    int64_t both;
    std::memcpy(&both, p, sizeof both);
    const __m512i codes = bits == 2   ? _mm512_set1_epi32(word_at(p))
                          : bits == 3 ? words(p, p + 3)
                                      : _mm512_set1_epi64(both);
    alignas(64) static constexpr auto masks = [] {
      std::array<uint32_t, 16> made = {};
      for (size_t i = 0; i < 16; i++) made[i] = ((1u << bits) - 1) << placing<bits>.bit[i];
      return made;
    }();
    *out = _mm512_cvtepu32_ps(_mm512_and_si512(codes, _mm512_load_si512(masks.data())));
  }

  static void transpose(Register* v) {
    Register pairs[16], fours[16], eights[16];
    for (int i = 0; i < 16; i += 2) {
      pairs[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
      pairs[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      for (int j = 0; j < 2; j++) {
        fours[i + 2 * j] = _mm512_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
        fours[i + 2 * j + 1] = _mm512_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xee);
      }
    }
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 2; j++) {
        eights[8 * j + i] = _mm512_shuffle_f32x4(fours[8 * j + i], fours[8 * j + i + 4], 0x88);
        eights[8 * j + i + 4] = _mm512_shuffle_f32x4(fours[8 * j + i], fours[8 * j + i + 4], 0xdd);
      }
    }
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 2; j++) {
        v[4 * j + i] = _mm512_shuffle_f32x4(eights[4 * j + i], eights[4 * j + i + 8], 0x88);
        v[4 * j + i + 8] = _mm512_shuffle_f32x4(eights[4 * j + i], eights[4 * j + i + 8], 0xdd);
      }
    }
  }
};

}  // namespace

const QMatMulTable qmatmul_avx512 = qmatmul_table<Floats>;

}  // namespace halftone
