#pragma once
#include <cstdint>

#include "codec.h"

namespace halftone::reference {

// GPTQ as its paper has it (Frantar et al. 2022, algorithm 1), without lazy updates, in double: fits each block of the
// codec when its first column is reached (or all before the first), takes for every column the nearest of all values of
// the grid, and moves the error onto the columns after it. factor: upper U, [cols, cols].
void gptq(const Codec&, int64_t rows, int64_t cols, const float* weights, const float* factor, const float* importance, bool static_groups, Fit, uint8_t* out);

}  // namespace halftone::reference
