#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "buffer.h"
#include "cholesky.h"
#include "gemm.h"
#include "pool.h"

namespace halftone {
namespace {

constexpr int64_t widest_double = 8192;  // above, the double copy would take over half a gigabyte: float there
constexpr double damp_step = 10, damp_first = 1e-4, damp_most = 100;
constexpr double dead_damp = 0.01;

// With the order of rows and columns reversed, F = J H J = L L^T gives H = R R^T for the upper R = J L J, hence
// H^-1 = R^-T R^-1 and U = R^-1 = J L^-1 J: one factorization and one triangular inverse, H^-1 is never formed.
template <typename T>
bool reversed_factor(const double* hessian, int64_t n, double mean, double damp, T* work) {
  parallel_for(n, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const double* from = hessian + (n - 1 - i) * n;
      for (int64_t j = 0; j <= i; j++) work[i * n + j] = static_cast<T>(from[n - 1 - j]);
      double diagonal = from[n - 1 - i];
      work[i * n + i] = static_cast<T>(diagonal > 0 ? diagonal + damp * mean : std::max(damp, dead_damp) * mean);
    }
  });
  if (!cholesky(work, n)) return false;
  invert_lower(work, n);
  return true;
}

double checked_mean(const double* hessian, int64_t n) {
  std::vector<double> sums(static_cast<size_t>(n));
  parallel_for(n, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      for (int64_t j = 0; j < n; j++) sums[i] += hessian[i * n + j];
    }
  });
  double trace = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!std::isfinite(sums[i])) throw std::runtime_error("inverseFactor: row " + std::to_string(i) + " of the layer Hessian holds a value that is not finite");
    if (hessian[i * n + i] < 0) throw std::runtime_error("inverseFactor: diagonal element " + std::to_string(i) + " of the layer Hessian is negative");
    trace += hessian[i * n + i];
  }
  return trace > 0 ? trace / static_cast<double>(n) : 1;
}

template <typename T>
double raise_until_definite(const double* hessian, int64_t n, double mean, double damp, T* work) {
  while (!reversed_factor(hessian, n, mean, damp, work)) {
    damp = std::max(damp * damp_step, damp_first);
    if (damp > damp_most) throw std::runtime_error("inverseFactor: the layer Hessian is not positive semidefinite, even with damping " + std::to_string(damp_most));
  }
  return damp;
}

}  // namespace

double inverse_factor(const double* hessian, int64_t n, double damp, float* factor) {
  double mean = checked_mean(hessian, n);
  if (n > widest_double) {
    damp = raise_until_definite(hessian, n, mean, damp, factor);
    std::reverse(factor, factor + n * n);
    return damp;
  }
  Buffer<double> work(n * n);
  damp = raise_until_definite(hessian, n, mean, damp, work.data());
  parallel_for(n, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const double* last = work.data() + (n - i) * n - 1;
      for (int64_t j = 0; j < n; j++) factor[i * n + j] = static_cast<float>(last[-j]);
    }
  });
  return damp;
}

}  // namespace halftone
