#include "gram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "buffer.h"
#include "gemm.h"
#include "pool.h"

namespace halftone {
namespace {

constexpr int64_t chunk = gemm_depth;  // tokens whose products are summed in float
constexpr int64_t band = 96;           // rows of the Hessian in a job, a multiple of the tile's rows and columns
constexpr int64_t column_grain = 64;

// Values that are not finite in each row of the chunk.
std::vector<int64_t> count_bad(const float* x, int64_t tokens, int64_t cols) {
  std::vector<int64_t> bad(static_cast<size_t>(tokens));
  parallel_for(tokens, 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float* row = x + t * cols;
      bad[t] = std::count_if(row, row + cols, [](float value) { return !std::isfinite(value); });
    }
  });
  return bad;
}

void add_magnitudes(const std::vector<const float*>& rows, int64_t cols, double* absolute, float* maximum) {
  parallel_for(cols, column_grain, [&](int64_t begin, int64_t end) {
    for (const float* row : rows) {
      for (int64_t j = begin; j < end; j++) {
        float magnitude = std::fabs(row[j]);
        absolute[j] += magnitude;
        maximum[j] = std::max(maximum[j], magnitude);
      }
    }
  });
}

// Adds the part of X^T X below the diagonal of a band of rows to the Hessian.
void add_band(const float* left, const float* right, int64_t k, int64_t begin, int64_t end, int64_t cols, double* hessian) {
  auto multiply = block_kernel<float>();
  constexpr int64_t width = block_cols<float>;
  float part[block_rows * width];
  for (int64_t j = 0; j < end; j += width) {
    int64_t across = std::min(width, round_up(cols - j, tile_cols<float>));
    for (int64_t i = begin; i < end; i += block_rows) {
      int64_t rows = std::min(block_rows, end - i);
      if (j > i + rows - 1) continue;
      multiply({rows, across, k, 1, left + i * k, right + j * k, part, width});
      for (int64_t r = i; r < i + rows; r++) {
        double* row = hessian + r * cols;
        const float* sums = part + (r - i) * width - j;
        for (int64_t c = j; c < std::min(j + width, r + 1); c++) row[c] += sums[c];
      }
    }
  }
}

// Copies the lower triangle to the upper one, square by square.
void mirror(double* hessian, int64_t cols) {
  constexpr int64_t square = 32;
  parallel_for(cols, square, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < cols; first += square) {
      for (int64_t i = begin; i < end; i++) {
        for (int64_t j = std::max(first, i + 1); j < std::min(first + square, cols); j++) hessian[i * cols + j] = hessian[j * cols + i];
      }
    }
  });
}

// The rows that take part, one beneath the other: x itself where all do.
const float* contiguous(const float* x, const std::vector<const float*>& rows, int64_t tokens, int64_t cols, Buffer<float>& copy) {
  if (static_cast<int64_t>(rows.size()) == tokens) return x;
  for (size_t t = 0; t < rows.size(); t++) std::copy_n(rows[t], cols, copy.data() + static_cast<int64_t>(t) * cols);
  return copy.data();
}

}  // namespace

int64_t accumulate(const float* x, int64_t tokens, int64_t cols, double* hessian, double* absolute, float* maximum) {
  int64_t depth = std::min(chunk, tokens);
  Buffer<float> left(round_up(cols, tile_rows) * depth), right(round_up(cols, tile_cols<float>) * depth), copy(depth * cols);
  int64_t left_out = 0;
  for (int64_t first = 0; first < tokens; first += chunk) {
    int64_t count = std::min(chunk, tokens - first);
    auto bad = count_bad(x + first * cols, count, cols);
    std::vector<const float*> rows;
    for (int64_t t = 0; t < count; t++) {
      left_out += bad[t];
      if (bad[t] == 0) rows.push_back(x + (first + t) * cols);
    }
    if (rows.empty()) continue;
    add_magnitudes(rows, cols, absolute, maximum);
    auto k = static_cast<int64_t>(rows.size());
    View<float> chunk_view{contiguous(x + first * cols, rows, count, cols, copy), cols, 1};
    parallel_for(cols, band, [&](int64_t begin, int64_t end) {
      pack_rows(chunk_view.transposed(), begin, end, k, left.data());
      pack_cols(chunk_view, begin, end, k, right.data());
    });
    parallel_for(cols, band, [&](int64_t begin, int64_t end) { add_band(left.data(), right.data(), k, begin, end, cols, hessian); });
  }
  mirror(hessian, cols);
  return left_out;
}

}  // namespace halftone
