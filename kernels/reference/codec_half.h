// 16-bit floats, one at a time: the bits <-> float. Rounds to nearest, ties to even, as hardware does.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

namespace halftone {

// Internal linkage on purpose: this header is compiled for several instruction sets, which must not share functions.
static inline float half_to_float(uint16_t half) {
  uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31;
  uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {
    float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  if (exponent == 31) return std::bit_cast<float>(sign | (fraction ? 0x7fc00000u : 0x7f800000u) | fraction << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t float_to_half(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00 | (bits >> 13 & 0x3ff));
  if (bits >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // from 65520 on: infinity
  if (bits < 0x38800000) {
    // Adding 0.5 leaves the fraction in units of 2^-24, which is where denormal halves end.
    float shifted = std::bit_cast<float>(bits) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return static_cast<uint16_t>(sign | (bits - 0x38000000) >> 13);
}

static inline float bfloat_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

static inline uint16_t float_to_bfloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 64);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Blocks are byte sequences without alignment; numbers in them are little-endian, as on every machine built for.
static_assert(std::endian::native == std::endian::little);
template <typename T>
static inline T load_as(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}
template <typename T>
static inline void store_as(uint8_t* bytes, T value) {
  std::memcpy(bytes, &value, sizeof(T));
}
static inline float load_half(const uint8_t* bytes) { return half_to_float(load_as<uint16_t>(bytes)); }
static inline void store_half(uint8_t* bytes, float value) { store_as<uint16_t>(bytes, float_to_half(value)); }

}  // namespace halftone
