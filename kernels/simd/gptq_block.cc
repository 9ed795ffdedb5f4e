#include "gptq_block.h"

#include <algorithm>
#include <cmath>

#include "cpu.h"

namespace halftone {
namespace {

constexpr int64_t tile_floats = gptq_columns * tile_lanes;
constexpr int64_t arrays = 19;  // two tiles of eight arrays, and three of the block's own

const GptqKernels& gptq_kernels() {
#if defined(HALFTONE_X64)
  if (simd() >= Simd::avx512) return gptq_kernels_avx512();
  if (simd() >= Simd::avx2) return gptq_kernels_avx2();
#elif defined(HALFTONE_ARM64)
  if (simd() == Simd::neon) return gptq_kernels_neon();
#endif
  return gptq_kernels_scalar();
}

// rows (r at rows + r * stride) -> tile; rows that are missing are zeros.
void turn_in(const float* rows, int64_t stride, int64_t used, int64_t n, float* tile) {
  for (int64_t lane = 0; lane < tile_lanes; lane++) {
    for (int64_t j = 0; j < n; j++) tile[j * tile_lanes + lane] = lane < used ? rows[lane * stride + j] : 0;
  }
}
void turn_out(const float* tile, int64_t used, int64_t n, float* rows, int64_t stride) {
  for (int64_t lane = 0; lane < used; lane++) {
    for (int64_t j = 0; j < n; j++) rows[lane * stride + j] = tile[j * tile_lanes + lane];
  }
}

float inverse_step(float step) { return std::fabs(step) > 1e-30f ? 1 / step : 0; }  // as the codecs round

}  // namespace

const GptqKernels& gptq_kernels_scalar() { return kernels_over<Lane>; }

void codes_of(const Grid& grid, const float* values, int64_t n, uint8_t* codes) {
  const Nearest<Lane> nearest(grid.levels);
  const float low = static_cast<float>(grid.q_min), high = static_cast<float>(grid.q_max);
  for (int64_t j = 0; j < n; j++) {
    int64_t p = j / grid.part;
    float x = (values[j] - grid.offset[p]) * inverse_step(grid.step[p]);
    codes[j] = static_cast<uint8_t>(grid.levels ? nearest.levels.code_of(x).v : nearest.level(x, low, high).v - low);
  }
}

GptqBlock::GptqBlock(const GptqLayer& layer) : layer_(layer), kernels_(gptq_kernels()), memory_(arrays * tile_floats) {
  std::fill_n(memory_.data(), arrays * tile_floats, 0.0f);
  float* next = memory_.data();
  auto cut = [&] {
    float* start = next;
    next += tile_floats;
    return start;
  };
  for (GptqTile* tile : {&tile_, &trial_}) {
    for (float** array : {&tile->values, &tile->levels, &tile->gradient, &tile->step, &tile->inverse, &tile->offset, &tile->low, &tile->high}) *array = cut();
  }
  target_ = cut();
  work_ = cut();
  change_ = cut();
}

void GptqBlock::start(const GptqMetric& metric, int64_t row, int64_t used) {
  metric_ = &metric;
  row_ = row;
  used_ = used;
  tile_.n = metric.count;
}

// Parameters of one codec block -> lane of the tile; the block covers columns [first, first + count) of the tile.
void GptqBlock::load_grid(int64_t lane, const uint8_t* block, int64_t first, int64_t count) {
  Grid grid;
  layer_.codec.grid(layer_.codec, block, layer_.block(), &grid);
  tile_.part = std::min(grid.part, tile_.n);
  tile_.table = grid.levels;
  // Readers of Q8_0 negate its bytes: -128 is not written.
  int lowest = grid.q_min == -128 && layer_.codec.name == "Q8_0" ? -127 : grid.q_min;
  for (int64_t p = 0; p * tile_.part < count; p++) {
    int64_t at = (first / tile_.part + p) * tile_lanes + lane;
    tile_.step[at] = grid.step[p];
    tile_.inverse[at] = inverse_step(grid.step[p]);
    tile_.offset[at] = grid.offset[p];
    tile_.low[at] = static_cast<float>(lowest);
    tile_.high[at] = static_cast<float>(grid.q_max);
  }
}

void GptqBlock::load_grids(int64_t first, int64_t count) {
  for (int64_t lane = 0; lane < used_; lane++) load_grid(lane, layer_.at(row_ + lane, metric_->begin + first), first, count);
}

// Fits the codec's block at columns [first, first + count) to the weights corrected so far.
void GptqBlock::fit(int64_t first, int64_t count) {
  float* rows = change_;
  turn_out(work_ + first * tile_lanes, used_, count, rows, count);
  int64_t col = metric_->begin + first;
  const float* importance = layer_.importance ? layer_.importance + col : nullptr;
  BlockRun run{used_, count, rows, count, importance, 0, layer_.sigma2.data() + row_, 1, layer_.at(row_, col), row_bytes(layer_.codec, layer_.cols)};
  layer_.codec.fit_many(layer_.codec, run, layer_.options.fit);
}

// The gradient of a tile whose target is in change_.
void GptqBlock::measure(GptqTile& tile, const float* metric) {
  for (int64_t i = 0; i < tile.n * tile_lanes; i++) change_[i] = tile.values[i] - change_[i];
  std::fill_n(tile.gradient, tile.n * tile_lanes, 0.0f);
  kernels_.shift(tile, 0, tile.n, metric, change_);
}

void GptqBlock::round(const float* current, int64_t stride, const float* u, int64_t u_stride, bool fitted) {
  turn_in(current, stride, used_, tile_.n, target_);
  std::copy_n(target_, tile_.n * tile_lanes, work_);
  int64_t block = std::min(layer_.block(), tile_.n);
  for (int64_t first = 0; first < tile_.n; first += block) {
    if (!fitted) fit(first, block);
    load_grids(first, block);
    kernels_.feedback(tile_, first, first + block, u, u_stride, work_, change_);
  }
  if (!layer_.options.improve) return;
  std::copy_n(target_, tile_.n * tile_lanes, change_);
  measure(tile_, metric_->metric.data());
}

void GptqBlock::resume(const float* values, int64_t stride, const float* gradients, const float* steps) {
  turn_in(values, stride, used_, tile_.n, work_);
  int64_t block = std::min(layer_.block(), tile_.n);
  for (int64_t first = 0; first < tile_.n; first += block) load_grids(first, block);
  kernels_.round(tile_, work_);
  turn_in(gradients, tile_.n, used_, tile_.n, tile_.gradient);
  turn_in(steps, tile_.n, used_, tile_.n, target_);
  for (int64_t i = 0; i < tile_.n * tile_lanes; i++) target_[i] += work_[i];
}

void GptqBlock::store_values(float* values, int64_t stride) const { turn_out(tile_.values, used_, tile_.n, values, stride); }

void GptqBlock::store_errors(const float* u, int64_t u_stride, float* errors) {
  for (int64_t i = 0; i < tile_.n * tile_lanes; i++) work_[i] = target_[i] - tile_.values[i];
  kernels_.errors_of(tile_.n, u, u_stride, work_, change_);
  turn_out(change_, used_, tile_.n, errors, tile_.n);
}

}  // namespace halftone
