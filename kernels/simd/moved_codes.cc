#include "moved_codes.h"

#include <algorithm>

#include "pool.h"

namespace halftone {

static constexpr int64_t weights_at_once = 1 << 13;

static void pack_row(const uint8_t* codes, int64_t cols, int bits, uint8_t* packed) {
  uint32_t word = 0;
  int held = 0;
  for (int64_t col = 0; col < cols; ++col) {
    word |= static_cast<uint32_t>(codes[col]) << held;
    for (held += bits; held >= 8; held -= 8, word >>= 8) *packed++ = static_cast<uint8_t>(word);
  }
  if (held > 0) *packed = static_cast<uint8_t>(word);
}

// codes[at] by the half that start + offsets · step falls in. Halves are kept at 0 or above before they are cut to whole numbers, which
// cuts down; NaN goes to 0.
static void move_row(const uint8_t* start, const float* offsets, int64_t cols, double step, int32_t last, const uint8_t* nearest, uint8_t* codes) {
  constexpr int64_t at_once = 256;
  int32_t halves[at_once];
  for (int64_t first = 0; first < cols; first += at_once) {
    const int64_t count = std::min(at_once, cols - first);
    for (int64_t at = 0; at < count; ++at) {
      const double half = 2 * (start[first + at] + static_cast<double>(offsets[first + at]) * step);
      const double kept = half > 0 ? half : 0;
      halves[at] = static_cast<int32_t>(kept < last ? kept : last);
    }
    for (int64_t at = 0; at < count; ++at) codes[first + at] = nearest[halves[at]];
  }
}

void moved_codes(const uint8_t* start, const float* offsets, const CodeGrid& grid, const uint8_t* nearest, uint8_t* codes, uint8_t* packed, int64_t row_bytes) {
  const auto [rows, cols, bits, step] = grid;
  const int32_t last = (2 << bits) - 1;
  parallel_for(rows, std::max<int64_t>(1, weights_at_once / cols), [&, cols = cols, bits = bits, step = step](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = row * cols;
      move_row(start + first, offsets + first, cols, step, last, nearest, codes + first);
      pack_row(codes + first, cols, bits, packed + row * row_bytes);
    }
  });
}

}  // namespace halftone
