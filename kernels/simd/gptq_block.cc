#include "gptq_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu.h"

namespace halftone {
namespace {

constexpr int64_t most_parts = gptq_columns / 16;
constexpr int64_t tile_floats = gptq_columns * tile_lanes, part_floats = most_parts * tile_lanes;

// Cuts a tile's arrays off the memory; moves the pointer past them.
GptqTile cut_tile(float** memory) {
  auto cut = [&](int64_t count) {
    float* start = *memory;
    *memory += count;
    return start;
  };
  GptqTile tile{};
  tile.values = cut(tile_floats);
  tile.levels = cut(tile_floats);
  tile.gradient = cut(tile_floats);
  tile.step = cut(part_floats);
  tile.inverse = cut(part_floats);
  tile.offset = cut(part_floats);
  tile.low = cut(part_floats);
  tile.high = cut(part_floats);
  return tile;
}

template <class Body>
void each_array(GptqTile& a, const GptqTile& b, Body body) {
  body(a.values, b.values, tile_floats);
  body(a.levels, b.levels, tile_floats);
  body(a.gradient, b.gradient, tile_floats);
  body(a.step, b.step, part_floats);
  body(a.inverse, b.inverse, part_floats);
  body(a.offset, b.offset, part_floats);
  body(a.low, b.low, part_floats);
  body(a.high, b.high, part_floats);
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

}  // namespace

const GptqKernels& gptq_kernels_scalar() { return kernels_over<Lane>; }

const GptqKernels& gptq_kernels() {
#if defined(HALFTONE_X64)
  if (simd() == Simd::avx2) return gptq_kernels_avx2();
#endif
  return gptq_kernels_scalar();
}

void codes_of(const Grid& grid, const float* values, int64_t n, uint8_t* codes) {
  const Nearest<Lane> nearest(grid.levels);
  const float low = static_cast<float>(grid.q_min), high = static_cast<float>(grid.q_max);
  for (int64_t j = 0; j < n; j++) {
    float step = grid.step[j / grid.part];
    float x = (values[j] - grid.offset[j / grid.part]) * (std::fabs(step) > 1e-30f ? 1 / step : 0);
    codes[j] = static_cast<uint8_t>(grid.levels ? nearest.levels.code_of(x).v : nearest.level(x, low, high).v - low);
  }
}

GptqBlock::GptqBlock(const GptqLayer& layer) : layer_(layer), kernels_(gptq_kernels()), memory_(17 * tile_floats + 10 * part_floats) {
  float* memory = memory_.data();
  tile_ = cut_tile(&memory);
  saved_ = cut_tile(&memory);
  auto cut = [&](int64_t count) { float* st = memory; memory += count; return st; };
  turned_.values = cut(tile_floats); turned_.levels = cut(tile_floats); turned_.gradient = cut(tile_floats); turned_.step = cut(tile_floats); turned_.inverse = cut(tile_floats); turned_.offset = cut(tile_floats); turned_.low = cut(tile_floats); turned_.high = cut(tile_floats);
  original_ = memory;
  work_ = original_ + tile_floats;
  change_ = work_ + tile_floats;
  std::fill(memory_.data(), memory_.data() + 17 * tile_floats + 10 * part_floats, 0.0f);
}

void GptqBlock::start(const GptqColumns& columns, int64_t row, int64_t used) {
  columns_ = columns;
  row_ = row;
  used_ = used;
  tile_.n = columns.count;
}

// Parameters of one codec block -> lane of the tile; the block covers columns [first, first + count) of the tile.
void GptqBlock::load_grid(int64_t lane, const uint8_t* block, int64_t first, int64_t count) {
  Grid grid;
  layer_.codec.grid(layer_.codec, block, layer_.block(), &grid);
  tile_.part = std::min(grid.part, columns_.count);
  tile_.table = grid.levels;
  // Readers of Q8_0 negate its bytes: -128 is not written.
  int lowest = grid.q_min == -128 && layer_.codec.name == "Q8_0" ? -127 : grid.q_min;
  for (int64_t p = 0; p < std::max<int64_t>(1, count / grid.part); p++) {
    int64_t at = (first / tile_.part + p) * tile_lanes + lane;
    tile_.step[at] = grid.step[p];
    tile_.inverse[at] = std::fabs(grid.step[p]) > 1e-30f ? 1 / grid.step[p] : 0;
    tile_.offset[at] = grid.offset[p];
    tile_.low[at] = static_cast<float>(lowest);
    tile_.high[at] = static_cast<float>(grid.q_max);
  }
}

// Fits the codec's block at columns [first, first + count) to the weights corrected so far.
void GptqBlock::fit(int64_t first, int64_t count) {
  float* rows = change_;
  turn_out(work_ + first * tile_lanes, used_, count, rows, count);
  int64_t col = columns_.begin + first;
  const float* importance = layer_.importance ? layer_.importance + col : nullptr;
  layer_.codec.fit_many(layer_.codec,
                        {used_, count, rows, count, importance, 0, layer_.sigma2.data() + row_, 1, layer_.at(row_, col), row_bytes(layer_.codec, layer_.cols)},
                        layer_.options.fit);
}

void GptqBlock::load_grids(int64_t first, int64_t count) {
  for (int64_t lane = 0; lane < used_; lane++) load_grid(lane, layer_.at(row_ + lane, columns_.begin + first), first, count);
}

void GptqBlock::round(const float* current, int64_t stride, const float* u, int64_t u_stride, bool fitted) {
  turn_in(current, stride, used_, tile_.n, original_);
  std::copy_n(original_, tile_.n * tile_lanes, work_);
  int64_t block = std::min(layer_.block(), tile_.n);
  for (int64_t first = 0; first < tile_.n; first += block) {
    if (!fitted) fit(first, block);
    load_grids(first, block);
    kernels_.feedback(tile_, first, first + block, u, u_stride, work_, change_);
  }
  if (layer_.options.descents == 0) return;
  for (int64_t i = 0; i < tile_.n * tile_lanes; i++) change_[i] = tile_.values[i] - original_[i];
  std::fill_n(tile_.gradient, tile_.n * tile_lanes, 0.0f);
  kernels_.shift(tile_, 0, tile_.n, columns_.metric, columns_.metric_stride, change_);
}

void GptqBlock::resume(const float* values, int64_t stride, const float* gradients, int64_t gradient_stride, const float* targets) {
  if (targets) {
    turn_in(targets, gradient_stride, used_, tile_.n, original_);
    turn_in(values, stride, used_, tile_.n, work_);
    for (int64_t i = 0; i < tile_.n * tile_lanes; i++) original_[i] += work_[i];
  }
  turn_in(values, stride, used_, tile_.n, work_);
  turn_in(gradients, gradient_stride, used_, tile_.n, tile_.gradient);
  int64_t block = std::min(layer_.block(), tile_.n);
  for (int64_t first = 0; first < tile_.n; first += block) load_grids(first, block);
  kernels_.round(tile_, work_);
}

void GptqBlock::improve() {
  if (layer_.options.descents == 0) return;
  kernels_.descend(tile_, columns_.metric, columns_.metric_stride, layer_.options.descents);
  for (int i = 0; i < layer_.options.refits; i++) {
    if (!refit()) break;
  }
  if (columns_.orders) for (auto& o : *columns_.orders) reorder(o);
}

bool GptqBlock::reorder(const GptqOrder& order) {
  turned_.n = tile_.n; turned_.part = 1; turned_.table = tile_.table;
  auto gather = [&](float* to, const float* from, int64_t part) { for (int64_t j = 0; j < tile_.n; j++) std::copy_n(from + order.at[j] / part * tile_lanes, tile_lanes, to + j * tile_lanes); };
  gather(turned_.step, tile_.step, tile_.part); gather(turned_.inverse, tile_.inverse, tile_.part); gather(turned_.offset, tile_.offset, tile_.part); gather(turned_.low, tile_.low, tile_.part); gather(turned_.high, tile_.high, tile_.part);
  gather(work_, original_, 1);
  kernels_.feedback(turned_, 0, tile_.n, order.factor.data(), tile_.n, work_, change_);
  gather(change_, original_, 1);
  for (int64_t i = 0; i < tile_.n * tile_lanes; i++) change_[i] = turned_.values[i] - change_[i];
  std::fill_n(turned_.gradient, tile_.n * tile_lanes, 0.0f);
  kernels_.shift(turned_, 0, tile_.n, order.metric.data(), tile_.n, change_);
  kernels_.descend(turned_, order.metric.data(), tile_.n, layer_.options.descents);
  float gains[tile_lanes] = {};
  for (int64_t j = 0; j < tile_.n; j++) for (int64_t l = 0; l < tile_lanes; l++) { int64_t o = order.at[j] * tile_lanes + l, t = j * tile_lanes + l; gains[l] += (turned_.values[t] - tile_.values[o]) * (turned_.gradient[t] + tile_.gradient[o]); }
  bool any = false;
  for (int64_t j = 0; j < tile_.n; j++) for (int64_t l = 0; l < tile_lanes; l++) if (gains[l] > 0) { any = true; int64_t o = order.at[j] * tile_lanes + l, t = j * tile_lanes + l; tile_.values[o] = turned_.values[t]; tile_.levels[o] = turned_.levels[t]; tile_.gradient[o] = turned_.gradient[t]; }
  return any;
}

// Least squares for the parameters of each part, the later parts after the earlier ones' change.
void GptqBlock::aim(WantedPart* aims) {
  bool symmetric = layer_.codec.symmetric;
  int64_t parts = tile_.n / tile_.part;
  for (int64_t p = 0; p < parts; p++) {
    PartSums sums;
    kernels_.sum_part(tile_, p, columns_.metric, columns_.metric_stride, &sums);
    float ones = 0;
    for (int64_t j = p * tile_.part; j < (p + 1) * tile_.part; j++) {
      for (int64_t k = p * tile_.part; k < (p + 1) * tile_.part; k++) ones += columns_.metric[j * columns_.metric_stride + k];
    }
    for (int lane = 0; lane < used_; lane++) {
      int64_t at = p * tile_lanes + lane;
      // Sums over levels become sums over codes, which count from the lowest level.
      float low = symmetric ? 0 : tile_.low[at];
      float qq = sums.qq[lane] - 2 * low * sums.q1[lane] + low * low * ones, q1 = sums.q1[lane] - low * ones, gq = sums.gq[lane] - low * sums.g1[lane];
      WantedPart& w = aims[lane * parts + p];
      w = {tile_.step[at], tile_.offset[at] + tile_.step[at] * low, qq, q1, ones};
      float determinant = qq * ones - q1 * q1;
      if (symmetric || !(determinant > 1e-6f * qq * ones)) {
        if (qq > 0) w.step += gq / qq;
      } else {
        w.step += (ones * gq - q1 * sums.g1[lane]) / determinant;
        w.base += (qq * sums.g1[lane] - q1 * gq) / determinant;
      }
      if (symmetric) w.sb = w.bb = 0;
      float step_change = w.step - tile_.step[at], base_change = w.base - (tile_.offset[at] + tile_.step[at] * low);
      for (int64_t j = p * tile_.part; j < (p + 1) * tile_.part; j++) {
        change_[j * tile_lanes + lane] = step_change * (tile_.levels[j * tile_lanes + lane] - low) + (symmetric ? 0 : base_change);
      }
    }
    kernels_.shift(tile_, p * tile_.part, tile_.part, columns_.metric, columns_.metric_stride, change_ + p * tile_.part * tile_lanes);
  }
}

bool GptqBlock::refit() {
  const Codec& codec = layer_.codec;
  if (!codec.set || layer_.codec.block == 0) return false;
  each_array(saved_, tile_, [](float* to, const float* from, int64_t count) { std::copy_n(from, count, to); });
  int64_t parts = tile_.n / tile_.part, block = layer_.block(), block_parts = block / tile_.part;
  std::vector<WantedPart> aims(static_cast<size_t>(parts * tile_lanes));
  std::fill_n(change_, tile_floats, 0.0f);
  aim(aims.data());
  size_t bytes = layer_.block_bytes();
  std::vector<uint8_t> trial(bytes * static_cast<size_t>(tile_lanes * (tile_.n / block)));
  for (int64_t lane = 0; lane < used_; lane++) {
    for (int64_t b = 0; b < tile_.n / block; b++) {
      uint8_t* at = trial.data() + bytes * static_cast<size_t>(lane * (tile_.n / block) + b);
      std::copy_n(layer_.at(row_ + lane, columns_.begin + b * block), bytes, at);
      codec.set(codec, aims.data() + lane * parts + b * block_parts, at);
      load_grid(lane, at, b * block, block);
    }
  }
  kernels_.revalue(tile_, change_);
  std::copy_n(saved_.gradient, tile_floats, tile_.gradient);
  kernels_.shift(tile_, 0, tile_.n, columns_.metric, columns_.metric_stride, change_);
  kernels_.descend(tile_, columns_.metric, columns_.metric_stride, layer_.options.descents);

  float gains[tile_lanes] = {};  // the loss changes by -(new - old) (gradient + new gradient)
  for (int64_t i = 0; i < tile_.n * tile_lanes; i++) gains[i % tile_lanes] += (tile_.values[i] - saved_.values[i]) * (tile_.gradient[i] + saved_.gradient[i]);
  bool any = false;
  for (int64_t lane = 0; lane < used_; lane++) {
    if (gains[lane] > 0) {
      any = true;
      for (int64_t b = 0; b < tile_.n / block; b++) {
        std::copy_n(trial.data() + bytes * static_cast<size_t>(lane * (tile_.n / block) + b), bytes, layer_.at(row_ + lane, columns_.begin + b * block));
      }
    }
  }
  each_array(tile_, saved_, [&](float* to, const float* from, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
      if (!(gains[i % tile_lanes] > 0)) to[i] = from[i];
    }
  });
  return any;
}

void GptqBlock::store_values(float* values, int64_t stride) const { turn_out(tile_.values, used_, tile_.n, values, stride); }

void GptqBlock::store_errors(const float* u, int64_t u_stride, float* errors, int64_t stride) {
  for (int64_t i = 0; i < tile_.n * tile_lanes; i++) work_[i] = original_[i] - tile_.values[i];
  kernels_.errors_of(tile_.n, u, u_stride, work_, change_);
  turn_out(change_, used_, tile_.n, errors, stride);
}

}  // namespace halftone
