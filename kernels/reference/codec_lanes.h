// One lane: the scalar definition of the vector type that the codecs are written over. simd/codec_lanes_*.h have the
// wide ones with the same operations; each gives in every lane exactly the bits that this one gives, so a codec
// computes the same result at any width. No fused multiply-add for the same reason.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "codec_half.h"

namespace halftone {

struct Lane {
  static constexpr int width = 1;
  using Mask = bool;
  float v;

  Lane() = default;
  Lane(float value) : v(value) {}
  static Lane load(const float* from) { return *from; }
  static Lane load(const uint8_t* from) { return static_cast<float>(*from); }
  static Lane load_half(const uint8_t* from) { return half_to_float(load_as<uint16_t>(from)); }
  void store(float* to) const { *to = v; }
  // Values in [0, 255] that are whole.
  void store(uint8_t* to) const { *to = static_cast<uint8_t>(static_cast<int>(v)); }
  void store_half(uint8_t* to) const { store_as(to, float_to_half(v)); }
};

static inline Lane operator+(Lane a, Lane b) { return a.v + b.v; }
static inline Lane operator-(Lane a, Lane b) { return a.v - b.v; }
static inline Lane operator*(Lane a, Lane b) { return a.v * b.v; }
static inline Lane operator/(Lane a, Lane b) { return a.v / b.v; }
static inline Lane operator-(Lane a) { return -a.v; }
static inline bool operator>(Lane a, Lane b) { return a.v > b.v; }
static inline bool operator>=(Lane a, Lane b) { return a.v >= b.v; }
static inline Lane select(bool mask, Lane a, Lane b) { return mask ? a : b; }
// With a NaN on either side the second operand comes back, as x86 does.
static inline Lane max(Lane a, Lane b) { return a.v > b.v ? a : b; }
static inline Lane min(Lane a, Lane b) { return a.v < b.v ? a : b; }
static inline Lane abs(Lane a) { return std::bit_cast<float>(std::bit_cast<uint32_t>(a.v) & 0x7fffffffu); }
static inline Lane sqrt(Lane a) { return std::sqrt(a.v); }
// The nearest half, kept finite.
static inline Lane to_half(Lane a) { return half_to_float(float_to_half(min(max(a, -65504.f), 65504.f).v)); }
// table[index], index whole and in [0, 7] or [0, 15].
static inline Lane lookup8(const float* table, Lane index) { return table[static_cast<int>(index.v)]; }
static inline Lane lookup16(const float* table, Lane index) { return table[static_cast<int>(index.v)]; }

}  // namespace halftone
