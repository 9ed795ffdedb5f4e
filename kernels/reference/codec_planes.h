// Quantized rows taken apart into what QMatMul reads (ops/packed_weight.h): codes as one little-endian bit stream a row, a
// scale and, for asymmetric formats, a zero point for each part of a block. value = scale * (code - zero).
#pragma once
#include "codec.h"

namespace halftone {

struct PlaneFormat {
  int bits;       // 2, 3, 4 or 8: formats of 5 and 6 bits and those with a table of levels take 8
  int64_t group;  // weights that share a scale; 0: a whole row
  bool zeros;     // false: zero points are 2^(bits - 1) and left out
};

// Formats without codes (F32, F16, BF16) have none: bits is 0.
PlaneFormat plane_format(const Codec&);

// One row. codes: ceil(cols * bits / 8) bytes; scales and zeros: one a group; zeros may be nullptr where there are none.
void row_planes(const Codec&, const PlaneFormat&, const uint8_t* bytes, int64_t cols, uint8_t* codes, float* scales, float* zeros);

}  // namespace halftone
