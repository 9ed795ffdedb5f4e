// One block of columns of sixteen rows: fitting, error feedback, and improvement against a metric.
#pragma once
#include <vector>

#include "buffer.h"
#include "gptq.h"
#include "gptq_tile.h"

namespace halftone {

constexpr int64_t gptq_columns = 256;  // of a super-block; a multiple of every codec's block

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

// Columns [begin, begin + count) of a layer, and the metric S [count, count] that their errors count by.
struct GptqColumns {
  int64_t begin, count;
  const float* metric;
  int64_t metric_stride;
  const std::vector<struct GptqOrder>* orders = nullptr;
};
struct GptqOrder { std::vector<int> at; Buffer<float> metric, factor; };

// The memory of one tile, and what happens to it. Rows are those of one group of at most tile_lanes.
class GptqBlock {
 public:
  explicit GptqBlock(const GptqLayer&);

  // Takes up a group: its first row and how many rows it has.
  void start(const GptqColumns&, int64_t row, int64_t used);
  // Rounds `current` (row r at current + r * stride) with error feedback through u, and fits the codec's blocks where
  // their parameters are not set before.
  void round(const float* current, int64_t stride, const float* u, int64_t u_stride, bool fitted);
  // Goes on from finished values, whose gradients in the metric are given.
  void resume(const float* values, int64_t stride, const float* gradients, int64_t gradient_stride, const float* targets);
  // Coordinate descent and refits, as the options say.
  void improve();
  void store_values(float* values, int64_t stride) const;
  // The errors (current - values) U^-1 that the columns after the block make up for.
  void store_errors(const float* u, int64_t u_stride, float* errors, int64_t stride);

 private:
  void fit(int64_t first, int64_t count);
  void load_grids(int64_t first, int64_t count);
  void load_grid(int64_t lane, const uint8_t* block, int64_t first, int64_t count);
  // Tries other parameters for the codes at hand; false where no row gained.
  bool refit();
  bool reorder(const GptqOrder&);
  void aim(WantedPart* aims);

  const GptqLayer& layer_;
  const GptqKernels& kernels_;
  GptqColumns columns_{};
  int64_t row_ = 0, used_ = 0;
  Buffer<float> memory_;
  GptqTile tile_{}, saved_{}, turned_{};
  float *original_, *work_, *change_;
};

const GptqKernels& gptq_kernels();

// The codes (q - q_min, or places in the table) of values that lie on the grid.
void codes_of(const Grid&, const float* values, int64_t n, uint8_t* codes);

}  // namespace halftone
