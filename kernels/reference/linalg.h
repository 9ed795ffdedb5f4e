// The definitions of the dense kernels: plain loops in double, in the order of the textbook. The fast ones in simd/ are
// tested against these.
#pragma once
#include <cstdint>
#include <vector>

namespace halftone::reference {

using Doubles = std::vector<double>;

// C [m, n] = op(A) op(B).
Doubles matmul(const float* a, const float* b, int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b);

// X^T X over the rows of x [tokens, cols] whose values are all finite.
Doubles gram(const float* x, int64_t tokens, int64_t cols);

// Lower factor of the symmetric a [n, n]; throws std::domain_error where a pivot is not positive.
Doubles cholesky(Doubles a, int64_t n);

// Upper U with (H + damp mean(diag H) I)^-1 = U^T U, by way of the inverse itself.
Doubles inverse_factor(const double* hessian, int64_t n, double damp);

// tr((A - B) H (A - B)^T).
double output_error(const float* a, const float* b, int64_t rows, int64_t cols, const double* hessian);

}  // namespace halftone::reference
