// Σ_r row[r] Σ_j column[j] (a − b)²: the weighted squared difference of two matrices.
#pragma once
#include <cstdint>

namespace halftone {

// a, b: [rows, cols]. Weights may be nullptr (all ones). Sums rows in double in a fixed order.
double weighted_error(const float* a, const float* b, int64_t rows, int64_t cols, const double* row_weights, const float* column_weights);

}  // namespace halftone
