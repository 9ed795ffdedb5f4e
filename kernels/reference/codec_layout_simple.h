// Layouts of the GGUF formats whose blocks of 32 weights share one scale. In the nibble formats byte j holds the
// codes of weights j (low) and j + 16 (high); fifth bits are collected in one word. Halves first, codes last.
//   grid    the values the block can take      unpack  codes (q - q_min, or the place in the table of levels), one byte each
//   pack    the same back                      store   the parameters, already rounded to what the block can hold
#pragma once
#include "codec.h"
#include "codec_half.h"

namespace halftone {
namespace {

// Every layout is compiled once per instruction set; the unnamed namespace keeps the versions apart.

// x + -0 is x for every x, zeros of both signs included: the offset of formats that have none.
constexpr float no_offset = -0.0f;

inline void single_part(Grid* g, int64_t n, float step, float offset, int q_min, int q_max, const float* levels = nullptr) {
  g->part = n;
  g->step[0] = step;
  g->offset[0] = offset;
  g->levels = levels;
  g->q_min = q_min;
  g->q_max = q_max;
}

// `half` bytes <-> 2 half codes.
inline void unpack_nibbles(const uint8_t* bytes, int half, uint8_t* codes) {
  for (int j = 0; j < half; j++) codes[j] = bytes[j] & 15;
  for (int j = 0; j < half; j++) codes[j + half] = bytes[j] >> 4;
}
inline void pack_nibbles(const uint8_t* codes, int half, uint8_t* bytes) {
  for (int j = 0; j < half; j++) bytes[j] = static_cast<uint8_t>((codes[j] & 15) | codes[j + half] << 4);
}
inline void unpack_fifth_bits(uint32_t high, uint8_t* codes) {
  for (int j = 0; j < 32; j++) codes[j] |= static_cast<uint8_t>((high >> j & 1) << 4);
}
inline uint32_t pack_fifth_bits(const uint8_t* codes) {
  uint32_t high = 0;
  for (int j = 0; j < 32; j++) high |= static_cast<uint32_t>(codes[j] >> 4 & 1) << j;
  return high;
}

// 64 bytes <-> 256 codes of 2 bits: byte l of 32 holds weights l, l + 32, l + 64, l + 96 of its 128.
inline void unpack_pairs(const uint8_t* bytes, uint8_t* codes) {
  for (int half = 0; half < 2; half++) {
    for (int k = 0; k < 4; k++) {
      for (int l = 0; l < 32; l++) codes[128 * half + 32 * k + l] = bytes[32 * half + l] >> 2 * k & 3;
    }
  }
}
inline void pack_pairs(const uint8_t* codes, uint8_t* bytes) {
  for (int half = 0; half < 2; half++) {
    const uint8_t* c = codes + 128 * half;
    for (int l = 0; l < 32; l++) {
      bytes[32 * half + l] = static_cast<uint8_t>((c[l] & 3) | (c[l + 32] & 3) << 2 | (c[l + 64] & 3) << 4 | (c[l + 96] & 3) << 6);
    }
  }
}

struct Q4_0 {
  static constexpr int block = 32, bits = 4, bytes = 18;
  static constexpr int q_min = -8, q_max = 7;
  static constexpr const char* name = "Q4_0";
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b), no_offset, q_min, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) { unpack_nibbles(b + 2, 16, codes); }
  static void pack(const uint8_t* codes, uint8_t* b) { pack_nibbles(codes, 16, b + 2); }
  static void store(uint8_t* b, float scale) { store_half(b, scale); }
};

struct Q4_1 {
  static constexpr int block = 32, bits = 4, bytes = 20;
  static constexpr int q_max = 15;
  static constexpr const char* name = "Q4_1";
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b), load_half(b + 2), 0, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) { unpack_nibbles(b + 4, 16, codes); }
  static void pack(const uint8_t* codes, uint8_t* b) { pack_nibbles(codes, 16, b + 4); }
  static void store(uint8_t* b, float scale, float offset) {
    store_half(b, scale);
    store_half(b + 2, offset);
  }
};

struct Q5_0 {
  static constexpr int block = 32, bits = 5, bytes = 22;
  static constexpr int q_min = -16, q_max = 15;
  static constexpr const char* name = "Q5_0";
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b), no_offset, q_min, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    unpack_nibbles(b + 6, 16, codes);
    unpack_fifth_bits(load_as<uint32_t>(b + 2), codes);
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    pack_nibbles(codes, 16, b + 6);
    store_as(b + 2, pack_fifth_bits(codes));
  }
  static void store(uint8_t* b, float scale) { store_half(b, scale); }
};

struct Q5_1 {
  static constexpr int block = 32, bits = 5, bytes = 24;
  static constexpr int q_max = 31;
  static constexpr const char* name = "Q5_1";
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b), load_half(b + 2), 0, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    unpack_nibbles(b + 8, 16, codes);
    unpack_fifth_bits(load_as<uint32_t>(b + 4), codes);
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    pack_nibbles(codes, 16, b + 8);
    store_as(b + 4, pack_fifth_bits(codes));
  }
  static void store(uint8_t* b, float scale, float offset) {
    store_half(b, scale);
    store_half(b + 2, offset);
  }
};

struct Q8_0 {
  static constexpr int block = 32, bits = 8, bytes = 34;
  static constexpr int q_min = -128, q_max = 127;
  static constexpr const char* name = "Q8_0";
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b), no_offset, q_min, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    for (int j = 0; j < 32; j++) codes[j] = b[2 + j] ^ 0x80;
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    for (int j = 0; j < 32; j++) b[2 + j] = codes[j] ^ 0x80;
  }
  static void store(uint8_t* b, float scale) { store_half(b, scale); }
};

// Sixteen levels, dense near zero, chosen for weights that are about normal.
struct IQ4_NL {
  static constexpr int block = 32, bits = 4, bytes = 18;
  static constexpr int q_max = 15;
  static constexpr const char* name = "IQ4_NL";
  static constexpr float levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b), no_offset, 0, q_max, levels); }
  static void unpack(const uint8_t* b, uint8_t* codes) { unpack_nibbles(b + 2, 16, codes); }
  static void pack(const uint8_t* codes, uint8_t* b) { pack_nibbles(codes, 16, b + 2); }
  static void store(uint8_t* b, float scale) { store_half(b, scale); }
};

// Floats of 4 bits (sign, 2 exponent, 1 fraction; here doubled to be whole) under a power of two. Codes are places in
// the ascending table, so minus zero, stored code 8, reads as zero and is never written.
struct MXFP4 {
  static constexpr int block = 32, bits = 4, bytes = 17;
  static constexpr int q_max = 14;
  static constexpr const char* name = "MXFP4";
  static constexpr float levels[16] = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 12};
  static float scale(int exponent) {  // 2^(exponent - 128), of which half is the doubled levels'
    return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : static_cast<uint32_t>(exponent - 1) << 23);
  }
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, scale(b[0]), no_offset, 0, q_max, levels); }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    unpack_nibbles(b + 1, 16, codes);
    for (int j = 0; j < 32; j++) codes[j] = codes[j] < 8 ? codes[j] + 7 : 15 - codes[j];
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    uint8_t stored[32];
    for (int j = 0; j < 32; j++) stored[j] = codes[j] < 7 ? 15 - codes[j] : codes[j] - 7;
    pack_nibbles(stored, 16, b + 1);
  }
  static void store(uint8_t* b, float power) {
    uint32_t shape = std::bit_cast<uint32_t>(power);
    b[0] = static_cast<uint8_t>(shape < 0x00800000 ? shape >> 22 : (shape >> 23) + 1);
  }
};

}  // namespace
}  // namespace halftone
