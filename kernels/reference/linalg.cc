#include "linalg.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace halftone::reference {
namespace {

Doubles inverse_of_lower(const Doubles& l, int64_t n) {
  Doubles inverse(static_cast<size_t>(n * n));
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = j; i < n; i++) {
      double sum = i == j ? 1 : 0;
      for (int64_t p = j; p < i; p++) sum -= l[i * n + p] * inverse[p * n + j];
      inverse[i * n + j] = sum / l[i * n + i];
    }
  }
  return inverse;
}

}  // namespace

Doubles matmul(const float* a, const float* b, int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) {
  Doubles c(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      for (int64_t p = 0; p < k; p++) {
        double left = transpose_a ? a[p * m + i] : a[i * k + p];
        double right = transpose_b ? b[j * k + p] : b[p * n + j];
        c[i * n + j] += left * right;
      }
    }
  }
  return c;
}

Doubles gram(const float* x, int64_t tokens, int64_t cols) {
  Doubles h(static_cast<size_t>(cols * cols));
  for (int64_t t = 0; t < tokens; t++) {
    const float* row = x + t * cols;
    if (!std::all_of(row, row + cols, [](float value) { return std::isfinite(value); })) continue;
    for (int64_t i = 0; i < cols; i++) {
      for (int64_t j = 0; j < cols; j++) h[i * cols + j] += static_cast<double>(row[i]) * row[j];
    }
  }
  return h;
}

Doubles cholesky(Doubles a, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    double pivot = a[j * n + j];
    for (int64_t p = 0; p < j; p++) pivot -= a[j * n + p] * a[j * n + p];
    if (!(pivot > 0)) throw std::domain_error("not positive definite");
    a[j * n + j] = std::sqrt(pivot);
    for (int64_t i = j + 1; i < n; i++) {
      for (int64_t p = 0; p < j; p++) a[i * n + j] -= a[i * n + p] * a[j * n + p];
      a[i * n + j] /= a[j * n + j];
    }
    std::fill(a.begin() + j * n + j + 1, a.begin() + (j + 1) * n, 0.0);
  }
  return a;
}

Doubles inverse_factor(const double* hessian, int64_t n, double damp) {
  Doubles h(hessian, hessian + n * n);
  double mean = 0;
  for (int64_t i = 0; i < n; i++) mean += h[i * n + i] / static_cast<double>(n);
  for (int64_t i = 0; i < n; i++) h[i * n + i] += damp * mean;
  Doubles l = inverse_of_lower(cholesky(h, n), n);
  Doubles inverse(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) {
      for (int64_t p = std::max(i, j); p < n; p++) inverse[i * n + j] += l[p * n + i] * l[p * n + j];
    }
  }
  Doubles lower = cholesky(inverse, n), upper(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j <= i; j++) upper[j * n + i] = lower[i * n + j];
  }
  return upper;
}

double output_error(const float* a, const float* b, int64_t rows, int64_t cols, const double* hessian) {
  double total = 0;
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < cols; i++) {
      for (int64_t j = 0; j < cols; j++) {
        double left = static_cast<double>(a[r * cols + i]) - b[r * cols + i];
        double right = static_cast<double>(a[r * cols + j]) - b[r * cols + j];
        total += left * hessian[i * cols + j] * right;
      }
    }
  }
  return total;
}

}  // namespace halftone::reference
