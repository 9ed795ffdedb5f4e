// How a super-block that has been rounded is improved: codes by coordinate descent, parameters by least squares, codes
// by rounding again in another order. A row keeps what lowers its loss.
#include <algorithm>

#include "gptq_block.h"

namespace halftone {
namespace {

constexpr int passes = 2;  // of coordinate descent; few codes change in a third

// What a row's loss falls by from `before` to `after`, whose columns are at[j] of before's: delta . (gradient + new gradient).
void gains_of(const GptqTile& before, const GptqTile& after, const int64_t* at, float* gains) {
  std::fill_n(gains, tile_lanes, 0.0f);
  for (int64_t j = 0; j < after.n; j++) {
    const int64_t to = j * tile_lanes, from = (at ? at[j] : j) * tile_lanes;
    for (int64_t lane = 0; lane < tile_lanes; lane++) {
      gains[lane] += (after.values[to + lane] - before.values[from + lane]) * (after.gradient[to + lane] + before.gradient[from + lane]);
    }
  }
}

// Copies the rows that gained.
void keep(const float* gains, const float* from, int64_t count, float* to) {
  for (int64_t j = 0; j < count; j++) {
    for (int64_t lane = 0; lane < tile_lanes; lane++) {
      if (gains[lane] > 0) to[j * tile_lanes + lane] = from[j * tile_lanes + lane];
    }
  }
}

}  // namespace

void GptqBlock::improve() {
  kernels_.descend(tile_, metric_->metric.data(), passes);
  if (layer_.codec.set && layer_.codec.block != 0) refit();
  for (const GptqOrder& order : metric_->orders) reorder(order);
}

// Least squares for the step and base of each part, each part after the change of the ones before it.
void GptqBlock::aim(WantedPart* wanted) {
  const float* metric = metric_->metric.data();
  const bool symmetric = layer_.codec.symmetric;
  const int64_t n = tile_.n, part = tile_.part, parts = n / part;
  for (int64_t p = 0; p < parts; p++) {
    PartSums sums;
    kernels_.sum_part(tile_, p, metric, &sums);
    float ones = 0;
    for (int64_t j = p * part; j < (p + 1) * part; j++) {
      for (int64_t k = p * part; k < (p + 1) * part; k++) ones += metric[j * n + k];
    }
    for (int64_t lane = 0; lane < used_; lane++) {
      const int64_t at = p * tile_lanes + lane;
      // Codes count from the lowest level; symmetric formats have no base, and their levels are counted from zero.
      const float low = symmetric ? 0 : tile_.low[at], base = tile_.offset[at] + tile_.step[at] * low;
      const float cc = sums.qq[lane] - 2 * low * sums.q1[lane] + low * low * ones, c1 = sums.q1[lane] - low * ones, gc = sums.gq[lane] - low * sums.g1[lane];
      const float determinant = cc * ones - c1 * c1;
      float step_change = cc > 0 ? gc / cc : 0, base_change = 0;
      if (!symmetric && determinant > 1e-6f * cc * ones) {
        step_change = (ones * gc - c1 * sums.g1[lane]) / determinant;
        base_change = (cc * sums.g1[lane] - c1 * gc) / determinant;
      }
      wanted[lane * parts + p] = {tile_.step[at] + step_change, base + base_change, cc, symmetric ? 0 : c1, symmetric ? 0 : ones};
      for (int64_t j = p * part; j < (p + 1) * part; j++) change_[j * tile_lanes + lane] = step_change * (tile_.levels[j * tile_lanes + lane] - low) + base_change;
    }
    kernels_.shift(tile_, p * part, part, metric, change_ + p * part * tile_lanes);
  }
}

void GptqBlock::refit() {
  const Codec& codec = layer_.codec;
  const int64_t n = tile_.n, parts = n / tile_.part, blocks = n / layer_.block();
  const size_t bytes = layer_.block_bytes();
  std::copy_n(memory_.data(), trial_.values - memory_.data(), trial_.values);  // tile_ -> trial_, to come back to
  trial_.n = n;
  trial_.part = tile_.part;

  std::vector<WantedPart> wanted(static_cast<size_t>(parts * tile_lanes));
  aim(wanted.data());
  std::vector<uint8_t> found(bytes * static_cast<size_t>(tile_lanes * blocks));
  for (int64_t lane = 0; lane < used_; lane++) {
    for (int64_t b = 0; b < blocks; b++) {
      uint8_t* block = found.data() + bytes * static_cast<size_t>(lane * blocks + b);
      std::copy_n(layer_.at(row_ + lane, metric_->begin + b * layer_.block()), bytes, block);
      codec.set(codec, wanted.data() + lane * parts + b * parts / blocks, block);
      load_grid(lane, block, b * layer_.block(), layer_.block());
    }
  }
  kernels_.revalue(tile_, change_);
  std::copy_n(trial_.gradient, n * tile_lanes, tile_.gradient);
  kernels_.shift(tile_, 0, n, metric_->metric.data(), change_);
  kernels_.descend(tile_, metric_->metric.data(), passes);

  float gains[tile_lanes];
  gains_of(trial_, tile_, nullptr, gains);
  for (int64_t lane = 0; lane < used_; lane++) {
    for (int64_t b = 0; gains[lane] > 0 && b < blocks; b++) {
      std::copy_n(found.data() + bytes * static_cast<size_t>(lane * blocks + b), bytes, layer_.at(row_ + lane, metric_->begin + b * layer_.block()));
    }
  }
  for (float& gain : gains) gain = gain > 0 ? 0.0f : 1.0f;  // the rows to take back
  keep(gains, trial_.values, (trial_.high - trial_.values) / tile_lanes + gptq_columns, tile_.values);
}

void GptqBlock::reorder(const GptqOrder& order) {
  const int64_t n = tile_.n;
  auto gather = [&](const float* from, int64_t part, float* to) {
    for (int64_t j = 0; j < n; j++) std::copy_n(from + order.at[j] / part * tile_lanes, tile_lanes, to + j * tile_lanes);
  };
  trial_.n = n;
  trial_.part = 1;
  trial_.table = tile_.table;
  gather(tile_.step, tile_.part, trial_.step);
  gather(tile_.inverse, tile_.part, trial_.inverse);
  gather(tile_.offset, tile_.part, trial_.offset);
  gather(tile_.low, tile_.part, trial_.low);
  gather(tile_.high, tile_.part, trial_.high);
  gather(target_, 1, work_);
  kernels_.feedback(trial_, 0, n, order.factor.data(), n, work_, change_);

  gather(target_, 1, change_);
  measure(trial_, order.metric.data());
  kernels_.descend(trial_, order.metric.data(), passes);

  float gains[tile_lanes];
  gains_of(tile_, trial_, order.at.data(), gains);
  for (int64_t j = 0; j < n; j++) {
    const int64_t from = j * tile_lanes, to = order.at[j] * tile_lanes;
    keep(gains, trial_.values + from, 1, tile_.values + to);
    keep(gains, trial_.levels + from, 1, tile_.levels + to);
    keep(gains, trial_.gradient + from, 1, tile_.gradient + to);
  }
}

}  // namespace halftone
