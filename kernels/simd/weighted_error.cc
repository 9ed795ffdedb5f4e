#include "weighted_error.h"

#include <vector>

#include "pool.h"

namespace halftone {
namespace {

constexpr int64_t rows_at_once = 16;

double row_error(const float* a, const float* b, int64_t cols, const float* weights) {
  constexpr int lanes = 8;
  double sums[lanes] = {};
  int64_t j = 0;
  for (; j + lanes <= cols; j += lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      double d = static_cast<double>(a[j + lane]) - b[j + lane];
      sums[lane] += (weights ? weights[j + lane] : 1.0) * d * d;
    }
  }
  double total = 0;
  for (double sum : sums) total += sum;
  for (; j < cols; j++) {
    double d = static_cast<double>(a[j]) - b[j];
    total += (weights ? weights[j] : 1.0) * d * d;
  }
  return total;
}

}  // namespace

double weighted_error(const float* a, const float* b, int64_t rows, int64_t cols, const double* row_weights, const float* column_weights) {
  std::vector<double> errors(static_cast<size_t>(rows));
  parallel_for(rows, rows_at_once, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      double weight = row_weights ? row_weights[r] : 1.0;
      errors[static_cast<size_t>(r)] = weight == 0 ? 0 : weight * row_error(a + r * cols, b + r * cols, cols, column_weights);
    }
  });
  double total = 0;
  for (double error : errors) total += error;
  return total;
}

}  // namespace halftone
