#include "moved_codes.h"

#include <algorithm>
#include <cmath>

#include "pool.h"

namespace halftone {

static constexpr int64_t weights_at_once = 1 << 16;

static void pack_row(const uint8_t* codes, int64_t cols, int bits, uint8_t* packed) {
  uint32_t word = 0;
  int held = 0;
  for (int64_t col = 0; col < cols; ++col) {
    word |= static_cast<uint32_t>(codes[col]) << held;
    for (held += bits; held >= 8; held -= 8, word >>= 8) *packed++ = static_cast<uint8_t>(word);
  }
  if (held > 0) *packed = static_cast<uint8_t>(word);
}

void moved_codes(const uint8_t* start, const float* offsets, const CodeGrid& grid, const uint8_t* nearest, uint8_t* codes, uint8_t* packed, int64_t row_bytes) {
  const auto [rows, cols, bits, step] = grid;
  const double last = static_cast<double>((2 << bits) - 1);
  parallel_for(rows, std::max<int64_t>(1, weights_at_once / cols), [&, cols = cols, bits = bits, step = step](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = row * cols;
      for (int64_t at = first; at < first + cols; ++at) {
        const double half = std::floor(2 * (start[at] + static_cast<double>(offsets[at]) * step));
        codes[at] = nearest[static_cast<int>(half >= 0 ? std::min(half, last) : 0)];
      }
      pack_row(codes + first, cols, bits, packed + row * row_bytes);
    }
  });
}

}  // namespace halftone
