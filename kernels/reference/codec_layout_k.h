// Layouts of the GGUF formats with super-blocks of 256 weights: parts of 16 or 32 weights have integer scales (and
// minima) under one half-precision super-scale (and super-minimum). Function names as in codec_layout_simple.h.
#pragma once
#include "codec_layout_simple.h"

namespace halftone {
namespace {

// What a super-block holds beside its codes. Part p takes the values d * scale[p] * q - dmin * min[p].
struct SuperBlock {
  float d, dmin;
  int scale[16], min[16];
};

// Eight 6-bit scales and eight 6-bit minima in 12 bytes: the first four of each have their low bits in bytes 0-3 and
// 4-7, the last four their low nibbles in bytes 8-11 and their high bits on top of the first four.
inline void unpack_scales_and_minima(const uint8_t* s, SuperBlock* block) {
  for (int j = 0; j < 4; j++) {
    block->scale[j] = s[j] & 63;
    block->min[j] = s[j + 4] & 63;
    block->scale[j + 4] = (s[j + 8] & 15) | s[j] >> 6 << 4;
    block->min[j + 4] = s[j + 8] >> 4 | s[j + 4] >> 6 << 4;
  }
}
inline void pack_scales_and_minima(const SuperBlock& block, uint8_t* s) {
  for (int j = 0; j < 4; j++) {
    s[j] = static_cast<uint8_t>(block.scale[j] | block.scale[j + 4] >> 4 << 6);
    s[j + 4] = static_cast<uint8_t>(block.min[j] | block.min[j + 4] >> 4 << 6);
    s[j + 8] = static_cast<uint8_t>((block.scale[j + 4] & 15) | (block.min[j + 4] & 15) << 4);
  }
}

// Affine parts: values d * scale * q - dmin * min.
inline void affine_grid(const SuperBlock& s, int parts, int q_max, Grid* g) {
  g->part = 256 / parts;
  g->levels = nullptr;
  g->q_min = 0;
  g->q_max = q_max;
  for (int p = 0; p < parts; p++) {
    g->step[p] = s.d * static_cast<float>(s.scale[p]);
    g->offset[p] = -(s.dmin * static_cast<float>(s.min[p]));
  }
}
// Symmetric parts: values d * scale * level.
inline void symmetric_grid(const SuperBlock& s, int parts, int q_min, int q_max, const float* levels, Grid* g) {
  g->part = 256 / parts;
  g->levels = levels;
  g->q_min = q_min;
  g->q_max = q_max;
  for (int p = 0; p < parts; p++) {
    g->step[p] = s.d * static_cast<float>(s.scale[p]);
    g->offset[p] = no_offset;
  }
}

// scales[16] (low nibble scale, high nibble minimum), codes[64], d, dmin.
struct Q2_K {
  static constexpr int block = 256, bits = 2, bytes = 84;
  static constexpr int parts = 16, q_max = 3, scale_max = 15;
  static constexpr const char* name = "Q2_K";
  static void grid(const uint8_t* b, Grid* g) {
    SuperBlock s;
    s.d = load_half(b + 80);
    s.dmin = load_half(b + 82);
    for (int p = 0; p < 16; p++) {
      s.scale[p] = b[p] & 15;
      s.min[p] = b[p] >> 4;
    }
    affine_grid(s, parts, q_max, g);
  }
  static void unpack(const uint8_t* b, uint8_t* codes) { unpack_pairs(b + 16, codes); }
  static void pack(const uint8_t* codes, uint8_t* b) { pack_pairs(codes, b + 16); }
  static void store(uint8_t* b, const SuperBlock& s) {
    for (int p = 0; p < 16; p++) b[p] = static_cast<uint8_t>(s.scale[p] | s.min[p] << 4);
    store_half(b + 80, s.d);
    store_half(b + 82, s.dmin);
  }
};

// high bits[32], low bits[64], 16 scales of 6 bits less 32 in 12 bytes, d. Bit k of byte l is that of weight 32 k + l.
struct Q3_K {
  static constexpr int block = 256, bits = 3, bytes = 110;
  static constexpr int parts = 16, q_min = -4, q_max = 3, scale_min = -32, scale_max = 31;
  static constexpr const char* name = "Q3_K";
  static constexpr const float* levels = nullptr;
  static void grid(const uint8_t* b, Grid* g) {
    SuperBlock s;
    s.d = load_half(b + 108);
    const uint8_t* packed = b + 96;
    for (int p = 0; p < 16; p++) {
      int low = p < 8 ? packed[p] & 15 : packed[p - 8] >> 4;
      int high = packed[8 + p % 4] >> 2 * (p / 4) & 3;
      s.scale[p] = (low | high << 4) - 32;
    }
    symmetric_grid(s, parts, q_min, q_max, nullptr, g);
  }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    unpack_pairs(b + 32, codes);
    for (int k = 0; k < 8; k++) {
      for (int l = 0; l < 32; l++) codes[32 * k + l] |= static_cast<uint8_t>((b[l] >> k & 1) << 2);
    }
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    pack_pairs(codes, b + 32);
    for (int l = 0; l < 32; l++) {
      int high = 0;
      for (int k = 0; k < 8; k++) high |= (codes[32 * k + l] >> 2 & 1) << k;
      b[l] = static_cast<uint8_t>(high);
    }
  }
  static void store(uint8_t* b, const SuperBlock& s) {
    uint8_t* packed = b + 96;
    for (int j = 0; j < 12; j++) packed[j] = 0;
    for (int p = 0; p < 16; p++) {
      int scale = s.scale[p] + 32;
      packed[p % 8] |= static_cast<uint8_t>((scale & 15) << (p < 8 ? 0 : 4));
      packed[8 + p % 4] |= static_cast<uint8_t>(scale >> 4 << 2 * (p / 4));
    }
    store_half(b + 108, s.d);
  }
};

// d, dmin, scales and minima[12], codes[128]: 32 bytes for each 64 weights, the first 32 in the low nibbles.
struct Q4_K {
  static constexpr int block = 256, bits = 4, bytes = 144;
  static constexpr int parts = 8, q_max = 15, scale_max = 63;
  static constexpr const char* name = "Q4_K";
  static void grid(const uint8_t* b, Grid* g) {
    SuperBlock s;
    s.d = load_half(b);
    s.dmin = load_half(b + 2);
    unpack_scales_and_minima(b + 4, &s);
    affine_grid(s, parts, q_max, g);
  }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    for (int k = 0; k < 4; k++) unpack_nibbles(b + 16 + 32 * k, 32, codes + 64 * k);
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    for (int k = 0; k < 4; k++) pack_nibbles(codes + 64 * k, 32, b + 16 + 32 * k);
  }
  static void store(uint8_t* b, const SuperBlock& s) {
    store_half(b, s.d);
    store_half(b + 2, s.dmin);
    pack_scales_and_minima(s, b + 4);
  }
};

// As Q4_K, with 32 bytes of fifth bits before the codes: bit k of byte l is that of weight 32 k + l.
struct Q5_K {
  static constexpr int block = 256, bits = 5, bytes = 176;
  static constexpr int parts = 8, q_max = 31, scale_max = 63;
  static constexpr const char* name = "Q5_K";
  static void grid(const uint8_t* b, Grid* g) {
    Q4_K::grid(b, g);
    g->q_max = q_max;
  }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    for (int k = 0; k < 4; k++) unpack_nibbles(b + 48 + 32 * k, 32, codes + 64 * k);
    for (int k = 0; k < 8; k++) {
      for (int l = 0; l < 32; l++) codes[32 * k + l] |= static_cast<uint8_t>((b[16 + l] >> k & 1) << 4);
    }
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    for (int k = 0; k < 4; k++) pack_nibbles(codes + 64 * k, 32, b + 48 + 32 * k);
    for (int l = 0; l < 32; l++) {
      int high = 0;
      for (int k = 0; k < 8; k++) high |= (codes[32 * k + l] >> 4 & 1) << k;
      b[16 + l] = static_cast<uint8_t>(high);
    }
  }
  static void store(uint8_t* b, const SuperBlock& s) { Q4_K::store(b, s); }
};

// low nibbles[128], high pairs[64], int8 scales[16], d. Of each 128 weights 64 bytes hold the nibbles of weights l and
// l + 64, and the pairs are laid out as in Q2_K.
struct Q6_K {
  static constexpr int block = 256, bits = 6, bytes = 210;
  static constexpr int parts = 16, q_min = -32, q_max = 31, scale_min = -128, scale_max = 127;
  static constexpr const char* name = "Q6_K";
  static constexpr const float* levels = nullptr;
  static void grid(const uint8_t* b, Grid* g) {
    SuperBlock s;
    s.d = load_half(b + 208);
    for (int p = 0; p < 16; p++) s.scale[p] = static_cast<int8_t>(b[192 + p]);
    symmetric_grid(s, parts, q_min, q_max, nullptr, g);
  }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    uint8_t high[256];
    unpack_pairs(b + 128, high);
    for (int half = 0; half < 2; half++) unpack_nibbles(b + 64 * half, 64, codes + 128 * half);
    for (int j = 0; j < 256; j++) codes[j] |= static_cast<uint8_t>(high[j] << 4);
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    uint8_t high[256];
    for (int j = 0; j < 256; j++) high[j] = codes[j] >> 4;
    pack_pairs(high, b + 128);
    for (int half = 0; half < 2; half++) pack_nibbles(codes + 128 * half, 64, b + 64 * half);
  }
  static void store(uint8_t* b, const SuperBlock& s) {
    for (int p = 0; p < 16; p++) b[192 + p] = static_cast<uint8_t>(s.scale[p]);
    store_half(b + 208, s.d);
  }
};

// d, high bits of the scales u16, low nibbles of the scales[4] (scale less 32), codes[128] as IQ4_NL's.
struct IQ4_XS {
  static constexpr int block = 256, bits = 4, bytes = 136;
  static constexpr int parts = 8, q_min = 0, q_max = 15, scale_min = -32, scale_max = 31;
  static constexpr const char* name = "IQ4_XS";
  static constexpr const float* levels = IQ4_NL::levels;
  static void grid(const uint8_t* b, Grid* g) {
    SuperBlock s;
    s.d = load_half(b);
    uint16_t high = load_as<uint16_t>(b + 2);
    for (int p = 0; p < 8; p++) s.scale[p] = ((b[4 + p / 2] >> 4 * (p % 2) & 15) | (high >> 2 * p & 3) << 4) - 32;
    symmetric_grid(s, parts, q_min, q_max, levels, g);
  }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    for (int k = 0; k < 8; k++) unpack_nibbles(b + 8 + 16 * k, 16, codes + 32 * k);
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    for (int k = 0; k < 8; k++) pack_nibbles(codes + 32 * k, 16, b + 8 + 16 * k);
  }
  static void store(uint8_t* b, const SuperBlock& s) {
    store_half(b, s.d);
    uint16_t high = 0;
    for (int p = 0; p < 8; p++) {
      int scale = s.scale[p] + 32;
      high = static_cast<uint16_t>(high | scale >> 4 << 2 * p);
      uint8_t other = p % 2 ? b[4 + p / 2] : 0;
      b[4 + p / 2] = static_cast<uint8_t>(other | (scale & 15) << 4 * (p % 2));
    }
    store_as(b + 2, high);
  }
};

}  // namespace
}  // namespace halftone
