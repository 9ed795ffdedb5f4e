#include <arm_neon.h>

#include "qmatmul_tile.h"

namespace halftone {
namespace {

struct Floats {
  using Register = float32x4_t;
  static constexpr int lanes = 4, dot_sums = 4;
  static Register load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, Register v) { vst1q_f32(p, v); }
  static Register splat(float x) { return vdupq_n_f32(x); }
  static Register add(Register a, Register b) { return vaddq_f32(a, b); }
  static Register mul(Register a, Register b) { return vmulq_f32(a, b); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }
#ifdef _MSC_VER
  static void prefetch(const void* p) { __prefetch(p); }
#else
  static void prefetch(const void* p) { __builtin_prefetch(p); }
#endif
  static float sum(Register v) { return vaddvq_f32(v); }

  template <int bits, int first>
  static Register code_of(Register word, Register next) {
    uint32x4_t code = vshlq_u32(vreinterpretq_u32_f32(word), vdupq_n_s32(-first));
    if constexpr (first + bits > 32)
      code = vorrq_u32(code, vshlq_n_u32(vreinterpretq_u32_f32(next), 32 - first));
    return vcvtq_f32_u32(vandq_u32(code, vdupq_n_u32((1u << bits) - 1)));
  }

  // Four codes of one little-endian word, the first at bit `first`; a shift to the left by less than nothing goes
  // right.
  template <int bits, int first>
  static Register spread(const uint8_t* p) {
    uint32_t word;
    std::memcpy(&word, p, sizeof word);
    const int32x4_t shifts = {-first, -first - bits, -first - 2 * bits, -first - 3 * bits};
    return vcvtq_f32_u32(vandq_u32(vshlq_u32(vdupq_n_u32(word), shifts), vdupq_n_u32((1u << bits) - 1)));
  }

  template <int bits>
  static void unpack(const uint8_t* p, Register* out) {
    if constexpr (bits == 8) {
      uint8x16_t all = vld1q_u8(p);
      uint16x8_t low = vmovl_u8(vget_low_u8(all)), high = vmovl_u8(vget_high_u8(all));
      out[0] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(low)));
      out[1] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(low)));
      out[2] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(high)));
      out[3] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)));
    } else {
      // Codes 8..15 begin at bit 8 · bits; their word ends with the last byte of the sixteen.
      constexpr int second = 2 * bits - 4, start = 8 * (bits - second);
      out[0] = spread<bits, 0>(p);
      out[1] = spread<bits, 4 * bits>(p);
      out[2] = spread<bits, start>(p + second);
      out[3] = spread<bits, start + 4 * bits>(p + second);
    }
  }

  // The words of unpack; the conversion is unsigned, so that the highest bit is like the others.
  template <int bits>
  static constexpr Placing placing = bits == 8 ? straight(0, 0, 0) : straight(bits, 0, 8 * (4 - bits));

  template <int bits, int first>
  static Register masked(const uint8_t* p) {
    uint32_t word;
    std::memcpy(&word, p, sizeof word);
    constexpr uint32_t ones = (1u << bits) - 1;
    constexpr const int8_t* bit = placing<bits>.bit + first;
    const uint32x4_t masks = {ones << bit[0], ones << bit[1], ones << bit[2], ones << bit[3]};
    return vcvtq_f32_u32(vandq_u32(vdupq_n_u32(word), masks));
  }

  template <int bits>
  static void place(const uint8_t* p, Register* out) {
    if constexpr (bits == 8) {
      unpack<8>(p, out);
    } else {
      constexpr int second = 2 * bits - 4;
      out[0] = masked<bits, 0>(p);
      out[1] = masked<bits, 4>(p);
      out[2] = masked<bits, 8>(p + second);
      out[3] = masked<bits, 12>(p + second);
    }
  }

  static void transpose(Register* v) {
    float32x4x2_t upper = vtrnq_f32(v[0], v[1]), lower = vtrnq_f32(v[2], v[3]);
    v[0] = vcombine_f32(vget_low_f32(upper.val[0]), vget_low_f32(lower.val[0]));
    v[1] = vcombine_f32(vget_low_f32(upper.val[1]), vget_low_f32(lower.val[1]));
    v[2] = vcombine_f32(vget_high_f32(upper.val[0]), vget_high_f32(lower.val[0]));
    v[3] = vcombine_f32(vget_high_f32(upper.val[1]), vget_high_f32(lower.val[1]));
  }
};

}  // namespace

const QMatMulTable qmatmul_neon = qmatmul_table<Floats>;

}  // namespace halftone
