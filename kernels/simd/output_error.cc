#include "output_error.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "buffer.h"
#include "gemm.h"
#include "pool.h"

namespace halftone {
namespace {

constexpr int64_t slab = 1024;    // rows at a time
constexpr int64_t columns = 128;  // of H at a time

}  // namespace

// By blocks of columns J: H is symmetric, so the columns before J count twice and H is multiplied with half of D only.
double output_error(const float* a, const float* b, int64_t rows, int64_t cols, const double* hessian) {
  Buffer<double> delta(std::min(slab, rows) * cols), image(std::min(slab, rows) * columns);
  std::vector<double> sums(static_cast<size_t>(rows));
  for (int64_t first = 0; first < rows; first += slab) {
    int64_t count = std::min(slab, rows - first);
    parallel_for(count, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * cols; i < end * cols; i++) delta[i] = static_cast<double>(a[first * cols + i]) - b[first * cols + i];
    });
    View<double> d{delta.data(), cols, 1}, h{hessian, cols, 1};
    for (int64_t j = 0; j < cols; j += columns) {
      int64_t width = std::min(columns, cols - j);
      gemm<double>({count, width, j, 2, d, h.from(0, j), image.data(), width});
      gemm<double>({count, width, width, 1, d.from(0, j), h.from(j, j), image.data(), width, true});
      parallel_for(count, 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const double* line = delta.data() + i * cols + j;
          sums[first + i] += std::inner_product(line, line + width, image.data() + i * width, 0.0);
        }
      });
    }
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace halftone
