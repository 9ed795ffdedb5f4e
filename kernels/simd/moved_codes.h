// Codes of a quantized layer under learned offsets: what rounding comes to while it is trained.
#pragma once
#include <cstdint>

namespace halftone {

struct CodeGrid {
  int64_t rows, cols;
  int bits;     // of a code; 2, 3, 4 or 8
  double step;  // of the grid, in codes
};

// codes[i] = nearest[clamp(⌊2 (start[i] + offsets[i] · step)⌋, 0, 2^(bits + 1) − 1)], [rows, cols]; and the same as a little-endian stream
// of bits a row, `row_bytes` each. `nearest` has 2^(bits + 1) entries: the code that the grid has nearest to every half.
void moved_codes(const uint8_t* start, const float* offsets, const CodeGrid& grid, const uint8_t* nearest, uint8_t* codes, uint8_t* packed, int64_t row_bytes);

}  // namespace halftone
