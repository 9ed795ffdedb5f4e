#include "eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace halftone {
namespace {

constexpr int most_sweeps = 40;  // ten are plenty; convergence is quadratic

// Rows (and, for `a`, columns) p and q turn by the angle that makes a[p, q] zero.
void rotate(double* a, double* vectors, int64_t n, int64_t p, int64_t q) {
  double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
  double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
  double c = 1 / std::sqrt(t * t + 1), s = t * c;
  auto turn = [=](double* x, double* y) {
    double before = *x;
    *x = c * before - s * *y;
    *y = s * before + c * *y;
  };
  for (int64_t j = 0; j < n; j++) turn(a + p * n + j, a + q * n + j);
  for (int64_t i = 0; i < n; i++) turn(a + i * n + p, a + i * n + q);
  for (int64_t j = 0; j < n; j++) turn(vectors + p * n + j, vectors + q * n + j);
}

}  // namespace

void symmetric_eigen(double* a, int64_t n, double* values, double* vectors) {
  std::vector<double> turned(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; i++) turned[i * n + i] = 1;
  double scale = 0;
  for (int64_t i = 0; i < n * n; i++) scale = std::max(scale, std::fabs(a[i]));
  for (int sweep = 0; sweep < most_sweeps; sweep++) {
    double largest = 0;
    for (int64_t p = 0; p < n; p++) {
      for (int64_t q = p + 1; q < n; q++) {
        double off = std::fabs(a[p * n + q]);
        largest = std::max(largest, off);
        if (off > 1e-17 * scale) rotate(a, turned.data(), n, p, q);
      }
    }
    if (largest <= 1e-15 * scale) break;
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return a[i * n + i] > a[j * n + j]; });
  for (int64_t i = 0; i < n; i++) {
    values[i] = a[order[i] * n + order[i]];
    std::copy_n(turned.data() + order[i] * n, n, vectors + i * n);
  }
}

}  // namespace halftone
