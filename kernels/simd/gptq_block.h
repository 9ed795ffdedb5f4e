// One super-block of sixteen rows: fitting, error feedback, and improvement against the metric.
#pragma once
#include <vector>

#include "buffer.h"
#include "gptq.h"
#include "gptq_metric.h"
#include "gptq_tile.h"

namespace halftone {

// A layer on its way into blocks of bytes.
struct GptqLayer {
  const Codec& codec;
  int64_t rows, cols;
  const float* weights;
  const float* importance;
  std::vector<float> sigma2;  // mean square of each row
  uint8_t* out;
  GptqOptions options;

  int64_t block() const { return block_length(codec, cols); }
  size_t block_bytes() const { return codec.block_bytes(codec, block()); }
  uint8_t* at(int64_t row, int64_t col) const { return out + static_cast<size_t>(row) * row_bytes(codec, cols) + static_cast<size_t>(col / block()) * block_bytes(); }
};

// The memory of one tile and what happens to it. Rows beyond the layer's last are zeros.
class GptqBlock {
 public:
  explicit GptqBlock(const GptqLayer&);

  // Takes up rows [row, row + used) of the layer.
  void start(const GptqMetric&, int64_t row, int64_t used);
  // Rounds `current` (rows `stride` apart) with error feedback through u; fits the codec's blocks unless they are.
  void round(const float* current, int64_t stride, const float* u, int64_t u_stride, bool fitted);
  // Goes on from finished values. gradients: (weights - values) times the metric, over all columns of the layer; steps:
  // gradients S^-1, which lead to the best real values given the other columns. Rows of both are n apart.
  void resume(const float* values, int64_t stride, const float* gradients, const float* steps);
  // Coordinate descent, refits and other orders, as the options say.
  void improve();
  void store_values(float* values, int64_t stride) const;
  // The errors (current - values) U^-1 that the columns after the super-block make up for.
  void store_errors(const float* u, int64_t u_stride, float* errors);

 private:
  void fit(int64_t first, int64_t count);
  void load_grids(int64_t first, int64_t count);
  void load_grid(int64_t lane, const uint8_t* block, int64_t first, int64_t count);
  void measure(GptqTile&, const float* metric);
  void refit();
  void aim(WantedPart* wanted);
  void reorder(const GptqOrder&);

  const GptqLayer& layer_;
  const GptqKernels& kernels_;
  const GptqMetric* metric_ = nullptr;
  int64_t row_ = 0, used_ = 0;
  Buffer<float> memory_;
  GptqTile tile_{}, trial_{};
  float *target_, *work_, *change_;  // target_: the best real values
};

// The codes (q - q_min, or places in the table) of values that lie on the grid.
void codes_of(const Grid&, const float* values, int64_t n, uint8_t* codes);

}  // namespace halftone
