#include "gptq.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "buffer.h"
#include "gemm.h"
#include "gptq_block.h"
#include "gptq_metric.h"
#include "pool.h"

namespace halftone {
namespace {

constexpr double least_damp = 1e-4;
constexpr int64_t slab_rows = 2048;  // rows worked on at once: bounds the memory whatever the layer

// Rows [first, first + count) of a layer: the weights with all corrections so far, or the errors left, and the values.
struct Slab {
  int64_t first, count;
  float *current, *values;
};

void check_finite(const float* values, int64_t rows, int64_t cols, const char* what) {
  std::vector<int64_t> bad(static_cast<size_t>(rows), -1);
  parallel_for(rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const float* row = values + r * cols;
      auto found = std::find_if(row, row + cols, [](float value) { return !std::isfinite(value); });
      if (found != row + cols) bad[r] = found - row;
    }
  });
  for (int64_t r = 0; r < rows; r++) {
    if (bad[r] >= 0) throw std::runtime_error("gptq: " + std::string(what) + " [" + std::to_string(r) + ", " + std::to_string(bad[r]) + "] is not finite");
  }
}

void check_pivots(const float* factor, int64_t cols) {
  for (int64_t j = 0; j < cols; j++) {
    if (!(factor[j * cols + j] > 0)) throw std::runtime_error("gptq: diagonal element " + std::to_string(j) + " of the factor is not positive");
  }
}

// What is added to the diagonal of the Hessian in sweeps; more than nothing, so that every column has a best value.
double damping(const GptqOptions& options, int64_t cols) {
  double trace = 0;
  for (int64_t j = 0; j < cols; j++) trace += options.hessian[j * cols + j];
  if (!std::isfinite(trace)) throw std::runtime_error("gptq: the diagonal of the layer Hessian is not finite");
  return trace > 0 ? std::max(options.damp, least_damp) * trace / static_cast<double>(cols) : 1;
}

std::vector<float> mean_squares(const float* weights, int64_t rows, int64_t cols) {
  std::vector<float> squares(static_cast<size_t>(rows));
  parallel_for(rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      double sum = 0;
      for (int64_t j = 0; j < cols; j++) sum += static_cast<double>(weights[r * cols + j]) * weights[r * cols + j];
      squares[r] = static_cast<float>(sum / static_cast<double>(cols));
    }
  });
  return squares;
}

// Calls body(block, row, used) for each group of rows [row, row + used) of the slab.
template <class Body>
void each_group(const GptqLayer& layer, const Slab& slab, const GptqMetric& metric, Body body) {
  constexpr int64_t groups_at_once = 4;
  int64_t groups = (slab.count + tile_lanes - 1) / tile_lanes;
  parallel_for(groups, groups_at_once, [&](int64_t begin, int64_t end) {
    GptqBlock block(layer);
    for (int64_t group = begin; group < end; group++) {
      int64_t row = group * tile_lanes, used = std::min<int64_t>(tile_lanes, slab.count - row);
      block.start(metric, slab.first + row, used);
      body(block, row, used);
    }
  });
}

// Fits every block of the slab to the original weights.
void fit_all(const GptqLayer& layer, const Slab& slab) {
  parallel_for(slab.count, tile_lanes, [&](int64_t begin, int64_t end) {
    int64_t row = slab.first + begin;
    encode_rows(layer.codec, layer.weights + row * layer.cols, layer.importance, layer.options.fit, end - begin, layer.cols, layer.at(row, 0));
  });
}

void round_slab(const GptqLayer& layer, const Slab& slab, const float* factor, const std::vector<GptqMetric>& metrics) {
  int64_t cols = layer.cols;
  bool fitted = layer.options.static_groups || layer.codec.block == 0;
  std::copy_n(layer.weights + slab.first * cols, slab.count * cols, slab.current);
  if (fitted) fit_all(layer, slab);
  Buffer<float> errors(slab.count * gptq_columns);
  for (const GptqMetric& metric : metrics) {
    int64_t begin = metric.begin, n = metric.count;
    const float* u = factor + begin * cols + begin;
    each_group(layer, slab, metric, [&](GptqBlock& block, int64_t row, int64_t) {
      block.round(slab.current + row * cols + begin, cols, u, cols, fitted);
      if (layer.options.improve) block.improve();
      block.store_values(slab.values + row * cols + begin, cols);
      block.store_errors(u, cols, errors.data() + row * n);
    });
    float* rest = slab.current + begin + n;
    gemm<float>({slab.count, cols - begin - n, n, -1, {errors.data(), n, 1}, {u + n, cols, 1}, rest, cols, true});
  }
}

// slab.current = weights - values, for columns [begin, begin + count) of rows [row, row + used).
void leave_errors(const GptqLayer& layer, const Slab& slab, int64_t row, int64_t used, int64_t begin, int64_t count) {
  for (int64_t r = row; r < row + used; r++) {
    for (int64_t j = begin; j < begin + count; j++) slab.current[r * layer.cols + j] = layer.weights[(slab.first + r) * layer.cols + j] - slab.values[r * layer.cols + j];
  }
}

// Each super-block in turn, given all others: its columns of (W - values) H are the gradients.
void sweep_slab(const GptqLayer& layer, const Slab& slab, double shift, const std::vector<GptqMetric>& metrics) {
  int64_t cols = layer.cols;
  parallel_for(slab.count, tile_lanes, [&](int64_t begin, int64_t end) { leave_errors(layer, slab, begin, end - begin, 0, cols); });
  Buffer<float> panel(cols * gptq_columns), gradients(slab.count * gptq_columns), steps(slab.count * gptq_columns);
  for (const GptqMetric& metric : metrics) {
    int64_t begin = metric.begin, n = metric.count;
    parallel_for(cols, 64, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) {
        const double* row = layer.options.hessian + i * cols + begin;
        std::copy_n(row, n, panel.data() + i * n);
        if (i >= begin && i < begin + n) panel[i * n + i - begin] = static_cast<float>(row[i - begin] + shift);
      }
    });
    gemm<float>({slab.count, n, cols, 1, {slab.current, cols, 1}, {panel.data(), n, 1}, gradients.data(), n});
    gemm<float>({slab.count, n, n, 1, {gradients.data(), n, 1}, {metric.inverse.data(), n, 1}, steps.data(), n});
    each_group(layer, slab, metric, [&](GptqBlock& block, int64_t row, int64_t used) {
      block.resume(slab.values + row * cols + begin, cols, gradients.data() + row * n, steps.data() + row * n);
      block.improve();
      block.store_values(slab.values + row * cols + begin, cols);
      leave_errors(layer, slab, row, used, begin, n);
    });
  }
}

// The codes of the values, into the blocks that hold their parameters.
void pack_slab(const GptqLayer& layer, const Slab& slab) {
  const Codec& codec = layer.codec;
  int64_t n = layer.block();
  parallel_for(slab.count, 16, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> codes(static_cast<size_t>(n));
    Grid grid;
    for (int64_t row = begin; row < end; row++) {
      for (int64_t col = 0; col < layer.cols; col += n) {
        uint8_t* block = layer.at(slab.first + row, col);
        codec.grid(codec, block, n, &grid);
        codes_of(grid, slab.values + row * layer.cols + col, n, codes.data());
        codec.pack(codec, codes.data(), n, block);
      }
    }
  });
}

}  // namespace

void gptq(const Codec& codec, int64_t rows, int64_t cols, const float* weights, const float* factor, const float* importance, const GptqOptions& options, uint8_t* out) {
  check_finite(weights, rows, cols, "weight");
  GptqLayer layer{codec, rows, cols, weights, importance, mean_squares(weights, rows, cols), out, options};
  if (!codec.grid) {
    fit_all(layer, {0, rows, nullptr, nullptr});
    return;
  }
  check_finite(factor, cols, cols, "factor");
  check_pivots(factor, cols);
  bool sweeps = options.improve && options.hessian && options.sweeps > 0;
  double shift = sweeps ? damping(options, cols) : 0;
  auto metrics = feedback_metrics(factor, cols, options.improve ? options.restarts : 0);
  std::vector<std::vector<GptqMetric>> later;
  for (int sweep = 1; sweeps && sweep <= options.sweeps; sweep++) later.push_back(block_metrics(options.hessian, cols, shift, options.restarts, sweep));
  int64_t most = std::min(slab_rows, rows);
  Buffer<float> current(most * cols), values(most * cols);
  for (int64_t first = 0; first < rows; first += slab_rows) {
    Slab slab{first, std::min(slab_rows, rows - first), current.data(), values.data()};
    round_slab(layer, slab, factor, metrics);
    for (const auto& sweep : later) sweep_slab(layer, slab, shift, sweep);
    pack_slab(layer, slab);
  }
}

}  // namespace halftone
