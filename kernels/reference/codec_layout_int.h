// Layout of the group-wise integers, int{2,3,4,8}-{g32,g64,g128,channel}[-sym]. A block is one group (or one row):
//   scale   half, may be negative
//   zero    one byte, only without -sym
//   codes   ceil(n * bits / 8) bytes, low bits first: code i lies at bit i * bits of the little-endian stream
// value = scale * (q - zero), with zero = 2^(bits - 1) where it is not stored.
#pragma once
#include "codec_layout_simple.h"

namespace halftone {
namespace {

template <int Bits, bool Symmetric>
struct Int {
  static constexpr int bits = Bits, code_max = (1 << Bits) - 1, header = Symmetric ? 2 : 3;
  static constexpr bool symmetric = Symmetric;

  static size_t block_bytes(int64_t n) { return header + static_cast<size_t>((n * Bits + 7) / 8); }

  static void grid(const uint8_t* b, int64_t n, Grid* g) {
    int zero = Symmetric ? 1 << (Bits - 1) : b[2];
    single_part(g, n, load_half(b), no_offset, -zero, code_max - zero);
  }

  static void store(uint8_t* b, float scale, int zero) {
    store_half(b, scale);
    if constexpr (!Symmetric) b[2] = static_cast<uint8_t>(zero);
  }

  // Codes [first, first + count) of the block; first is a multiple of 8, so that it lies at a whole byte.
  static void unpack(const uint8_t* b, int64_t first, int64_t count, uint8_t* codes) {
    const uint8_t* stream = b + header + first * Bits / 8;
    int64_t j = 0;
    for (; j + 8 <= count; j += 8) {  // eight codes are `Bits` whole bytes
      uint64_t word = 0;
      for (int k = 0; k < Bits; k++) word |= static_cast<uint64_t>(stream[j / 8 * Bits + k]) << 8 * k;
      for (int k = 0; k < 8; k++) codes[j + k] = static_cast<uint8_t>(word >> Bits * k & code_max);
    }
    for (; j < count; j++) {
      int64_t bit = j * Bits;
      int low = stream[bit / 8] >> bit % 8;
      int high = bit % 8 + Bits > 8 ? stream[bit / 8 + 1] << (8 - bit % 8) : 0;
      codes[j] = static_cast<uint8_t>((low | high) & code_max);
    }
  }

  static void pack(const uint8_t* codes, int64_t n, uint8_t* b) {
    uint8_t* stream = b + header;
    for (int64_t j = 0; j < n; j += 8) {
      uint64_t word = 0;
      int64_t count = n - j < 8 ? n - j : 8;
      for (int64_t k = 0; k < count; k++) word |= static_cast<uint64_t>(codes[j + k] & code_max) << Bits * k;
      for (int64_t k = 0; k < (count * Bits + 7) / 8; k++) stream[j / 8 * Bits + k] = static_cast<uint8_t>(word >> 8 * k);
    }
  }
};

}  // namespace
}  // namespace halftone
