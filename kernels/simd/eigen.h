#pragma once
#include <cstdint>

namespace halftone {

// Eigenvectors of the symmetric a [n, n] by cyclic Jacobi rotations, for n up to a few hundred. On return the rows of
// `vectors` [n, n] are orthonormal, and `values` [n] falls. `a` is used up.
void symmetric_eigen(double* a, int64_t n, double* values, double* vectors);

}  // namespace halftone
