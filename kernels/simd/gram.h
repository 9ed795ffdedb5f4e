// Statistics of a layer's inputs: the Gram matrix X^T X (the layer Hessian), sums of |x|, maxima of |x|.
#pragma once
#include <cstdint>

namespace halftone {

// Adds X^T X of x [tokens, cols] to `hessian` [cols, cols], column sums of |x| to `absolute` [cols], and raises
// `maximum` [cols] to the largest |x|. Products are summed in float over 256 tokens, over the chunks in double, always
// in the same order. `hessian` must be symmetric and stays so.
// Rows that hold a value that is not finite are left out everywhere; returns the number of such values.
int64_t accumulate(const float* x, int64_t tokens, int64_t cols, double* hessian, double* absolute, float* maximum);

}  // namespace halftone
