// The best approximation of a given rank, by randomized subspace iteration (Halko, Martinsson and Tropp 2011): plain, or
// in the metric of a layer's inputs.
#pragma once
#include <cstdint>

namespace halftone {

// matrix [rows, cols] ~ sum over r of s[r] u[:, r] v[:, r]^T with s falling; u [rows, rank], s [rank], v [cols, rank].
// Vectors of singular values that vanish are zeros. rank must not exceed rows and cols.
void truncated_svd(const float* matrix, int64_t rows, int64_t cols, int64_t rank, uint64_t seed, float* u, float* s, float* v);

// b [rows, rank] and a [rank, cols] with the least tr((D - B A) H (D - B A)^T) for D = delta [rows, cols] and the
// positive semidefinite H [cols, cols] (the closed form of EoRA, Liu et al. 2024). With H = L L^T and the singular
// vectors U S Y^T = D L, B A = U U^T D, so neither L nor its inverse is needed: U are the eigenvectors of D H D^T.
// B = U S^1/2 and A = S^-1/2 U^T D share the scale.
void low_rank_correction(const float* delta, int64_t rows, int64_t cols, const double* hessian, int64_t rank, uint64_t seed, float* b, float* a);

}  // namespace halftone
