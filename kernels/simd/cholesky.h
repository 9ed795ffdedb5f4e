// Cholesky factors and triangular inverses, recursive, so that nearly all work is in large matrix products.
#pragma once
#include <cstdint>

namespace halftone {

// Lower factor L of the symmetric a [n, n] (its lower triangle is read) with L L^T = a, in place; the upper triangle
// becomes zero. False, with `a` spoilt, where a pivot is not above the rounding error of its diagonal element.
template <typename T>
bool cholesky(T* a, int64_t n);

// L becomes L^-1, in place, for a lower triangular L with zeros above the diagonal.
template <typename T>
void invert_lower(T* l, int64_t n);

// x [rows, n] becomes x L^-1.
template <typename T>
void solve_right(const T* l, int64_t n, T* x, int64_t rows);

// Factor U [n, n] (upper, float) of (H + damping I)^-1 = U^T U, with damping = damp * mean(diag H).
// A column with H_jj = 0 keeps only the damping on its diagonal (at least a hundredth of the mean).
// Where the factorization fails, damp is raised by steps. Returns the damp used.
// Throws std::runtime_error for an H that is not finite or stays indefinite with damp = 100.
double inverse_factor(const double* hessian, int64_t n, double damp, float* factor);

}  // namespace halftone
