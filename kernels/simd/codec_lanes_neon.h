// Four lanes on NEON (64-bit ARM). The operations and their results are those of reference/codec_lanes.h.
#pragma once
#include <arm_neon.h>

#include "../reference/codec_lanes.h"

namespace halftone {

struct Lanes4 {
  static constexpr int width = 4;
  float32x4_t v;

  Lanes4() = default;
  Lanes4(float32x4_t value) : v(value) {}
  Lanes4(float value) : v(vdupq_n_f32(value)) {}
  static Lanes4 load(const float* from) { return vld1q_f32(from); }
  static Lanes4 load(const uint8_t* from) {
    uint16x8_t words = vmovl_u8(vcreate_u8(load_as<uint32_t>(from)));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)));
  }
  static Lanes4 load_half(const uint8_t* from) { return vcvt_f32_f16(vreinterpret_f16_u64(vcreate_u64(load_as<uint64_t>(from)))); }
  void store(float* to) const { vst1q_f32(to, v); }
  void store(uint8_t* to) const {
    uint16x4_t words = vmovn_u32(vcvtq_u32_f32(v));
    uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
    store_as(to, vget_lane_u32(vreinterpret_u32_u8(bytes), 0));
  }
  void store_half(uint8_t* to) const { store_as(to, vget_lane_u64(vreinterpret_u64_f16(vcvt_f16_f32(v)), 0)); }
};
struct Mask4 {
  uint32x4_t v;
};

static inline Lanes4 operator+(Lanes4 a, Lanes4 b) { return vaddq_f32(a.v, b.v); }
static inline Lanes4 operator-(Lanes4 a, Lanes4 b) { return vsubq_f32(a.v, b.v); }
static inline Lanes4 operator*(Lanes4 a, Lanes4 b) { return vmulq_f32(a.v, b.v); }
static inline Lanes4 operator/(Lanes4 a, Lanes4 b) { return vdivq_f32(a.v, b.v); }
static inline Lanes4 operator-(Lanes4 a) { return vnegq_f32(a.v); }
static inline Mask4 operator>(Lanes4 a, Lanes4 b) { return {vcgtq_f32(a.v, b.v)}; }
static inline Mask4 operator>=(Lanes4 a, Lanes4 b) { return {vcgeq_f32(a.v, b.v)}; }
static inline Lanes4 select(Mask4 mask, Lanes4 a, Lanes4 b) { return vbslq_f32(mask.v, a.v, b.v); }
// Not vmaxq and vminq, which give NaN where either side is NaN.
static inline Lanes4 max(Lanes4 a, Lanes4 b) { return select(a > b, a, b); }
static inline Lanes4 min(Lanes4 a, Lanes4 b) { return select(b > a, a, b); }
static inline Lanes4 abs(Lanes4 a) { return vabsq_f32(a.v); }
static inline Lanes4 sqrt(Lanes4 a) { return vsqrtq_f32(a.v); }
static inline Lanes4 to_half(Lanes4 a) {
  Lanes4 finite = min(max(a, -65504.f), 65504.f);
  return vcvt_f32_f16(vcvt_f16_f32(finite.v));
}
// table[index] for tables of up to 64 bytes: the bytes of each entry are picked one by one.
template <class Bytes, class Pick>
static inline Lanes4 lookup_bytes(Bytes table, Lanes4 index, Pick pick) {
  uint32x4_t first = vmulq_n_u32(vcvtq_u32_f32(index.v), 0x04040404u);
  uint8x16_t bytes = vaddq_u8(vreinterpretq_u8_u32(first), vreinterpretq_u8_u32(vdupq_n_u32(0x03020100u)));
  return vreinterpretq_f32_u8(pick(table, bytes));
}
static inline Lanes4 lookup8(const float* table, Lanes4 index) {
  return lookup_bytes(vld1q_u8_x2(reinterpret_cast<const uint8_t*>(table)), index, [](uint8x16x2_t t, uint8x16_t at) { return vqtbl2q_u8(t, at); });
}
static inline Lanes4 lookup16(const float* table, Lanes4 index) {
  return lookup_bytes(vld1q_u8_x4(reinterpret_cast<const uint8_t*>(table)), index, [](uint8x16x4_t t, uint8x16_t at) { return vqtbl4q_u8(t, at); });
}

}  // namespace halftone
