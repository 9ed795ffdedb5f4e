// Layouts of the GGUF ternary formats: 256 weights of -1, 0, 1 times one scale.
#pragma once
#include "codec_layout_simple.h"

namespace halftone {
namespace {

// Five trits a byte: the byte is ceil(256 / 243 * v) of v in base 3, so that the k-th digit is the top of byte * 3^k.
// 32 bytes hold weights l + 32 k, 16 bytes 160 + l + 16 k, and 4 bytes of four trits 240 + l + 4 k; then the scale.
struct TQ1_0 {
  static constexpr int block = 256, bits = 2, bytes = 54;
  static constexpr int q_min = -1, q_max = 1;
  static constexpr const char* name = "TQ1_0";

  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b + 52), no_offset, q_min, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) {
    unpack_run(b, 32, 5, codes);
    unpack_run(b + 32, 16, 5, codes + 160);
    unpack_run(b + 48, 4, 4, codes + 240);
  }
  static void pack(const uint8_t* codes, uint8_t* b) {
    pack_run(codes, 32, 5, b);
    pack_run(codes + 160, 16, 5, b + 32);
    pack_run(codes + 240, 4, 4, b + 48);
  }
  static void store(uint8_t* b, float scale) { store_half(b + 52, scale); }

 private:
  static void unpack_run(const uint8_t* bytes, int count, int trits, uint8_t* codes) {
    for (int k = 0, power = 1; k < trits; k++, power *= 3) {
      for (int l = 0; l < count; l++) codes[count * k + l] = static_cast<uint8_t>((bytes[l] * power & 255) * 3 >> 8);
    }
  }
  static void pack_run(const uint8_t* codes, int count, int trits, uint8_t* bytes) {
    for (int l = 0; l < count; l++) {
      int value = 0;
      for (int k = 0; k < 5; k++) value = 3 * value + (k < trits ? codes[count * k + l] : 0);
      bytes[l] = static_cast<uint8_t>((value * 256 + 242) / 243);
    }
  }
};

// Two bits a weight, laid out as Q2_K's, then the scale. Stored 3, never written, reads as 2.
struct TQ2_0 {
  static constexpr int block = 256, bits = 2, bytes = 66;
  static constexpr int q_min = -1, q_max = 1;
  static constexpr const char* name = "TQ2_0";
  static void grid(const uint8_t* b, Grid* g) { single_part(g, block, load_half(b + 64), no_offset, q_min, q_max); }
  static void unpack(const uint8_t* b, uint8_t* codes) { unpack_pairs(b, codes); }
  static void pack(const uint8_t* codes, uint8_t* b) { pack_pairs(codes, b); }
  static void store(uint8_t* b, float scale) { store_half(b + 64, scale); }
};

}  // namespace
}  // namespace halftone
