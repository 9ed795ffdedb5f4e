#include "gptq.h"

#include <cmath>
#include <vector>

namespace halftone::reference {
namespace {

struct Choice {
  uint8_t code;
  double value;
};

Choice nearest(const Grid& grid, int64_t column, double x) {
  int64_t p = column / grid.part;
  Choice best{0, INFINITY};
  for (int code = 0; code <= grid.q_max - grid.q_min; code++) {
    float level = grid.levels ? grid.levels[code] : static_cast<float>(code + grid.q_min);
    double value = grid.step[p] * level + grid.offset[p];
    if (std::fabs(x - value) < std::fabs(x - best.value)) best = {static_cast<uint8_t>(code), value};
  }
  return best;
}

void round_row(const Codec& codec, int64_t cols, const float* weights, const float* factor, const float* importance, bool static_groups, Fit fit, uint8_t* out) {
  int64_t n = block_length(codec, cols);
  std::vector<double> current(weights, weights + cols);
  std::vector<uint8_t> codes(static_cast<size_t>(n));
  double squares = 0;
  for (double w : current) squares += w * w;
  float sigma2 = static_cast<float>(squares / static_cast<double>(cols));
  for (int64_t first = 0; first < cols; first += n) {
    uint8_t* block = out + static_cast<size_t>(first / n) * codec.block_bytes(codec, n);
    std::vector<float> x(weights + first, weights + first + n);
    if (!static_groups) x.assign(current.begin() + first, current.begin() + first + n);
    codec.fit(codec, x.data(), importance ? importance + first : nullptr, sigma2, fit, n, block);
    Grid grid;
    codec.grid(codec, block, n, &grid);
    for (int64_t j = first; j < first + n; j++) {
      Choice choice = nearest(grid, j - first, current[j]);
      codes[j - first] = choice.code;
      double error = (current[j] - choice.value) / factor[j * cols + j];
      for (int64_t k = j + 1; k < cols; k++) current[k] -= error * factor[j * cols + k];
    }
    codec.pack(codec, codes.data(), n, block);
  }
}

}  // namespace

void gptq(const Codec& codec, int64_t rows, int64_t cols, const float* weights, const float* factor, const float* importance, bool static_groups, Fit fit, uint8_t* out) {
  for (int64_t r = 0; r < rows; r++) {
    round_row(codec, cols, weights + r * cols, factor, importance, static_groups, fit, out + static_cast<size_t>(r) * row_bytes(codec, cols));
  }
}

}  // namespace halftone::reference
