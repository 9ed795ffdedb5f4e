// What the gradient of a quantized weight says of its codes, and of the scale and zero point that each group of them shares.
#pragma once
#include <cstdint>

namespace halftone {

struct CodeGroups {
  int64_t rows, cols;
  int64_t group;  // weights that share a scale; divides cols
  float middle;   // from which codes are counted in `products`, so that sums stay small
  float step;     // of the grid, in codes
};

// For dW [rows, cols] of W = scale (q - zero): of_codes += dW · scale · step, and of every group [rows, cols / group]
// sums = Σ dW and products = Σ dW (q - middle).
void code_gradients(const float* gradient, const uint8_t* codes, const CodeGroups& groups, const float* scales, float* of_codes, float* sums, float* products);

}  // namespace halftone
