#include "low_rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "buffer.h"
#include "cholesky.h"
#include "eigen.h"
#include "gemm.h"

namespace halftone {
namespace {

constexpr int least_rounds = 4, most_rounds = 24;
constexpr double settled = 1e-6;  // growth of the energy in the subspace at which iteration ends
constexpr int64_t most_extra = 64;  // directions beyond the rank, which let the last ones settle

// D [rows, cols] and H [cols, cols] or nullptr for I.
struct Problem {
  View<float> matrix;
  int64_t rows, cols;
  const double* hessian;
};

// Vectors of a basis are rows.
struct Subspace {
  int64_t count;
  Buffer<double> basis;    // Q [count, rows], orthonormal
  Buffer<double> image;    // Q D [count, cols]
  Buffer<double> weighted; // Q D H [count, cols]
};

void multiply(const double* left, int64_t m, int64_t k, View<float> right, int64_t n, double* out) {
  Buffer<float> narrow(m * k), product(m * n);
  std::copy_n(left, m * k, narrow.data());
  gemm<float>({m, n, k, 1, {narrow.data(), k, 1}, right, product.data(), n});
  std::copy_n(product.data(), m * n, out);
}

// Rows one by one, each twice; rows that depend on the ones before become zeros.
void orthonormalize_slowly(double* rows, int64_t count, int64_t n) {
  for (int64_t i = 0; i < count; i++) {
    double* row = rows + i * n;
    double before = std::sqrt(std::inner_product(row, row + n, row, 0.0));
    for (int pass = 0; pass < 2; pass++) {
      for (int64_t j = 0; j < i; j++) {
        const double* other = rows + j * n;
        double share = std::inner_product(row, row + n, other, 0.0);
        for (int64_t k = 0; k < n; k++) row[k] -= share * other[k];
      }
    }
    double length = std::sqrt(std::inner_product(row, row + n, row, 0.0));
    double inverse = length > 1e-10 * before ? 1 / length : 0;
    for (int64_t k = 0; k < n; k++) row[k] *= inverse;
  }
}

// Q = L^-1 Y with Y Y^T = L L^T, twice (Cholesky QR 2).
void orthonormalize(double* rows, int64_t count, int64_t n) {
  Buffer<double> gram(count * count), copy(count * n);
  for (int pass = 0; pass < 2; pass++) {
    View<double> view{rows, n, 1};
    gemm<double>({count, count, n, 1, view, view.transposed(), gram.data(), count});
    double largest = 0, smallest = INFINITY;
    bool definite = cholesky(gram.data(), count);
    for (int64_t i = 0; definite && i < count; i++) {
      largest = std::max(largest, gram[i * count + i]);
      smallest = std::min(smallest, gram[i * count + i]);
    }
    if (!definite || smallest < 1e-7 * largest) return orthonormalize_slowly(rows, count, n);
    invert_lower(gram.data(), count);
    std::copy_n(rows, count * n, copy.data());
    gemm<double>({count, n, count, 1, {gram.data(), count, 1}, {copy.data(), n, 1}, rows, n});
  }
}

void take_image(const Problem& p, Subspace* space) {
  multiply(space->basis.data(), space->count, p.rows, p.matrix, p.cols, space->image.data());
  if (p.hessian) {
    gemm<double>({space->count, p.cols, p.cols, 1, {space->image.data(), p.cols, 1}, {p.hessian, p.cols, 1}, space->weighted.data(), p.cols});
  } else {
    std::copy_n(space->image.data(), space->count * p.cols, space->weighted.data());
  }
}

// The subspace of the leading eigenvectors of D H D^T.
Subspace iterate(const Problem& p, int64_t rank, uint64_t seed) {
  int64_t count = std::min(p.rows, rank + std::min(most_extra, rank + 8));
  Subspace space{count, Buffer<double>(count * p.rows), Buffer<double>(count * p.cols), Buffer<double>(count * p.cols)};
  uint64_t state = seed;
  for (int64_t i = 0; i < count * p.rows; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    space.basis[i] = state >> 63 ? 1 : -1;
  }
  orthonormalize(space.basis.data(), count, p.rows);
  take_image(p, &space);
  double energy = 0;
  for (int round = 0; count < p.rows && round < most_rounds; round++) {
    multiply(space.weighted.data(), count, p.cols, p.matrix.transposed(), p.rows, space.basis.data());
    orthonormalize(space.basis.data(), count, p.rows);
    take_image(p, &space);
    double now = std::inner_product(space.image.data(), space.image.data() + count * p.cols, space.weighted.data(), 0.0);
    if (round + 1 >= least_rounds && now <= energy * (1 + settled)) break;
    energy = now;
  }
  return space;
}

// Turns the subspace to the eigenvectors in it: U^T [rank, rows], its image U^T D [rank, cols], singular values of D L.
struct Leading {
  Buffer<double> u, image;
  std::vector<double> s;
};

Leading leading(const Problem& p, int64_t rank, uint64_t seed) {
  Subspace space = iterate(p, rank, seed);
  int64_t n = space.count;
  Buffer<double> gram(n * n), vectors(n * n);
  std::vector<double> values(static_cast<size_t>(n));
  gemm<double>({n, n, p.cols, 1, {space.weighted.data(), p.cols, 1}, {space.image.data(), 1, p.cols}, gram.data(), n});
  for (int64_t i = 0; i < n * n; i++) {
    if (!std::isfinite(gram[i])) throw std::runtime_error("low rank: the matrix or the layer Hessian holds values that are not finite");
  }
  symmetric_eigen(gram.data(), n, values.data(), vectors.data());
  Leading found{Buffer<double>(rank * p.rows), Buffer<double>(rank * p.cols), std::vector<double>(static_cast<size_t>(rank))};
  gemm<double>({rank, p.rows, n, 1, {vectors.data(), n, 1}, {space.basis.data(), p.rows, 1}, found.u.data(), p.rows});
  gemm<double>({rank, p.cols, n, 1, {vectors.data(), n, 1}, {space.image.data(), p.cols, 1}, found.image.data(), p.cols});
  double least = 1e-12 * std::max(values[0], 0.0);  // of an eigenvalue that is not rounding error
  for (int64_t r = 0; r < rank; r++) found.s[r] = values[r] > least ? std::sqrt(values[r]) : 0;
  return found;
}

}  // namespace

void truncated_svd(const float* matrix, int64_t rows, int64_t cols, int64_t rank, uint64_t seed, float* u, float* s, float* v) {
  Leading found = leading({{matrix, cols, 1}, rows, cols, nullptr}, rank, seed);
  for (int64_t r = 0; r < rank; r++) {
    bool any = found.s[r] > 0;
    s[r] = static_cast<float>(found.s[r]);
    for (int64_t i = 0; i < rows; i++) u[i * rank + r] = any ? static_cast<float>(found.u[r * rows + i]) : 0;
    for (int64_t j = 0; j < cols; j++) v[j * rank + r] = any ? static_cast<float>(found.image[r * cols + j] / found.s[r]) : 0;
  }
}

void low_rank_correction(const float* delta, int64_t rows, int64_t cols, const double* hessian, int64_t rank, uint64_t seed, float* b, float* a) {
  Leading found = leading({{delta, cols, 1}, rows, cols, hessian}, rank, seed);
  for (int64_t r = 0; r < rank; r++) {
    double root = std::sqrt(found.s[r]), inverse = root > 0 ? 1 / root : 0;
    for (int64_t i = 0; i < rows; i++) b[i * rank + r] = static_cast<float>(root * found.u[r * rows + i]);
    for (int64_t j = 0; j < cols; j++) a[r * cols + j] = static_cast<float>(inverse * found.image[r * cols + j]);
  }
}

}  // namespace halftone
