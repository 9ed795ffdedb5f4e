// GPTQ (Frantar et al. 2022, algorithm 1) over the grid of any codec: columns are rounded one by one, and the error of
// each is made up for by the columns after it. Rows are independent.
//
// A super-block of columns is worked on as a whole. Its parameters are fitted to the weights corrected so far, then its
// columns are rounded with error feedback. What is left is a closest-vector problem of 256 columns in the metric that
// counts once all later columns have made up for the error, the Schur complement S = (U^T U)^-1 of its part of the
// factor. It is improved by coordinate descent over the codes (QuantEase, Behdin et al. 2023), by least squares for
// steps and offsets, and by rounding again in other orders of the columns, smallest conditional variances last.
// With the layer Hessian at hand, sweeps over all blocks follow: each is improved in the same ways given all others.
#pragma once
#include <cstdint>

#include "../reference/codec.h"

namespace halftone {

struct GptqOptions {
  bool static_groups = false;  // fit every block to the original weights, not to the corrected ones
  Fit fit = Fit::search;
  bool improve = true;  // false: error feedback alone
  int restarts = 1;     // other orders tried whenever a block is worked on
  // Sweeps against hessian [cols, cols] + damp * mean(diag) I; nullptr: none.
  const double* hessian = nullptr;
  double damp = 0.01;
  int sweeps = 1;
};

// weights [rows, cols] -> out, rows * row_bytes(). factor: [cols, cols], from inverse_factor.
// importance: [cols] or nullptr. Throws std::runtime_error for weights or factors that are not finite.
void gptq(const Codec&, int64_t rows, int64_t cols, const float* weights, const float* factor, const float* importance, const GptqOptions&, uint8_t* out);

}  // namespace halftone
