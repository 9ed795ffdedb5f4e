#pragma once
#include <cstdint>

namespace halftone {

// tr(D H D^T) for D = a - b, both [rows, cols], and the symmetric H [cols, cols], in double.
double output_error(const float* a, const float* b, int64_t rows, int64_t cols, const double* hessian);

}  // namespace halftone
