// The metrics that the errors of super-blocks count by, and the orders in which their columns are rounded.
#pragma once
#include <vector>

#include "buffer.h"

namespace halftone {

constexpr int64_t gptq_columns = 256;  // of a super-block; a multiple of every codec's block

// Column at[j] of the super-block is rounded j-th.
struct GptqOrder {
  std::vector<int64_t> at;
  Buffer<float> metric, factor;  // S in this order, and the upper U with S^-1 = U^T U
};

// Columns [begin, begin + count) of a layer.
struct GptqMetric {
  int64_t begin, count;
  Buffer<float> metric;   // S [count, count]
  Buffer<float> inverse;  // S^-1
  std::vector<GptqOrder> orders;
};

// Errors that all later columns make up for, by the factor U [cols, cols] of the whole inverse.
std::vector<GptqMetric> feedback_metrics(const float* factor, int64_t cols, int restarts);

// Errors by themselves: the diagonal blocks of hessian + shift I. `round` varies the orders.
std::vector<GptqMetric> block_metrics(const double* hessian, int64_t cols, double shift, int restarts, int round);

}  // namespace halftone
