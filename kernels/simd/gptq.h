// GPTQ (Frantar et al. 2022, algorithm 1) over the grid of any codec: columns are rounded one by one, and the error of
// each is made up for by the columns after it. Rows are independent.
//
// A super-block of columns is worked on as a whole. Its parameters are fitted to the weights corrected so far, its
// columns rounded with error feedback. Then the block is improved against the metric that counts once all later columns
// have made up for it, the Schur complement S = (U^T U)^-1 of its part U of the factor: coordinate descent over the
// codes (as QuantEase does over whole rows, Behdin et al. 2023), and least squares for steps and offsets.
// With the layer Hessian at hand, sweeps over all blocks follow, each improved given all others.
#pragma once
#include <cstdint>

#include "../reference/codec.h"

namespace halftone {

struct GptqOptions {
  bool static_groups = false;  // fit every block to the original weights, not to the corrected ones
  Fit fit = Fit::search;
  int descents = 2;  // passes of coordinate descent over a block; 0: plain GPTQ
  int restarts = 0;
  int sweep_restarts = 0;
  int refits = 1;    // tries of new parameters for a block
  // Sweeps over whole rows at the end, against hessian [cols, cols] + damp * mean(diag) I; nullptr: none.
  const double* hessian = nullptr;
  double damp = 0;
  int sweeps = 0;
};

// weights [rows, cols] -> out, rows * row_bytes(). factor: [cols, cols], from inverse_factor.
// importance: [cols] or nullptr. Throws std::runtime_error for weights or factors that are not finite.
void gptq(const Codec&, int64_t rows, int64_t cols, const float* weights, const float* factor, const float* importance, const GptqOptions&, uint8_t* out);

}  // namespace halftone
