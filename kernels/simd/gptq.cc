#include "gptq.h"

#include <algorithm>
#include <vector>
#include <cmath>
#include <stdexcept>
#include <string>

#include "buffer.h"
#include "cholesky.h"
#include "gemm.h"
#include "gptq_block.h"
#include "pool.h"

namespace halftone {
namespace {

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

// S = (U^T U)^-1 for the block of U at `u`.
Buffer<float> schur_metric(const float* u, int64_t stride, int64_t n) {
  Buffer<double> lower(n * n), product(n * n);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) lower[i * n + j] = j <= i ? u[j * stride + i] : 0;
  }
  invert_lower(lower.data(), n);
  View<double> inverse{lower.data(), n, 1};
  gemm<double>({n, n, n, 1, inverse.transposed(), inverse, product.data(), n});
  Buffer<float> metric(n * n);
  for (int64_t i = 0; i < n * n; i++) metric[i] = static_cast<float>(product[i]);
  return metric;
}

std::vector<GptqOrder> make_orders(const float* metric, int64_t stride, int64_t count, int restarts, uint32_t seed, bool sweepy) {
    std::vector<GptqOrder> orders;
    for (int r = 0; r < restarts; r++) {
      GptqOrder o{{}, Buffer<float>(count * count), Buffer<float>(count * count)};
      for (int j = 0; j < count; j++) o.at.push_back(j);
      static int mode = getenv("ORD") ? atoi(getenv("ORD")) : 0;
      auto rnd = [&] { seed = seed * 1664525u + 1013904223u; return (seed >> 8) / 16777216.0; };
      if (mode == 0) {
      if (r == 0) std::sort(o.at.begin(), o.at.end(), [&](int a, int b) { return metric[a * stride + a] > metric[b * stride + b]; });
      else if (r == 1) std::reverse(o.at.begin(), o.at.end());
      else for (int j = count - 1; j > 0; j--) { seed = seed * 1664525u + 1013904223u; std::swap(o.at[j], o.at[(seed >> 8) % (j + 1)]); }
      } else {
        double amp = mode == 1 ? 0 : mode / 10.0; bool noisy = r > 0 || seed > 1000000;
        Buffer<double> c(count * count); std::vector<char> used(count, 0); std::vector<double> f(count, 1);
        for (auto& x : f) x = noisy || sweepy ? std::exp(amp * (rnd() + rnd() + rnd() - 1.5) * 2) : 1;
        for (int i = 0; i < count; i++) for (int j = 0; j < count; j++) c[i * count + j] = metric[i * stride + j];
        for (int k = count - 1; k >= 0; k--) { int best = -1; for (int j = 0; j < count; j++) if (!used[j] && (best < 0 || c[j * count + j] * f[j] < c[best * count + best] * f[best])) best = j;
          if (best < 0) { break; } used[best] = 1; o.at[k] = best; double d = c[best * count + best];
          for (int i = 0; i < count; i++) if (!used[i]) { double l = c[i * count + best] / d; for (int j = 0; j < count; j++) if (!used[j]) c[i * count + j] -= l * c[best * count + j]; } }
      }
      Buffer<double> h(count * count);
      for (int i = 0; i < count; i++) for (int j = 0; j < count; j++) h[i * count + j] = o.metric[i * count + j] = metric[o.at[i] * stride + o.at[j]];
      inverse_factor(h.data(), count, 0, o.factor.data());
      orders.push_back(std::move(o));
    }
  return orders;
}

// Calls body(block, first row of the slab's group, rows in it) for each group of rows.
template <class Body>
void each_group(const GptqLayer& layer, const Slab& slab, const GptqColumns& columns, Body body) {
  constexpr int64_t groups_at_once = 4;
  int64_t groups = (slab.count + tile_lanes - 1) / tile_lanes;
  parallel_for(groups, groups_at_once, [&](int64_t begin, int64_t end) {
    GptqBlock block(layer);
    for (int64_t group = begin; group < end; group++) {
      int64_t row = group * tile_lanes, used = std::min<int64_t>(tile_lanes, slab.count - row);
      block.start(columns, slab.first + row, used);
      body(block, row, used);
    }
  });
}

// Fits every block of the slab to the original weights.
void fit_all(const GptqLayer& layer, const Slab& slab) {
  parallel_for(slab.count, 4, [&](int64_t begin, int64_t end) {
    for (int64_t r = slab.first + begin; r < slab.first + end; r++) encode_row(layer.codec, layer.weights + r * layer.cols, layer.importance, layer.options.fit, layer.cols, layer.at(r, 0));
  });
}

void round_slab(const GptqLayer& layer, const Slab& slab, const float* factor) {
  int64_t cols = layer.cols;
  bool fitted = layer.options.static_groups || layer.codec.block == 0;
  std::copy_n(layer.weights + slab.first * cols, slab.count * cols, slab.current);
  if (fitted) fit_all(layer, slab);
  Buffer<float> errors(slab.count * gptq_columns);
  for (int64_t begin = 0; begin < cols; begin += gptq_columns) {
    int64_t count = std::min(gptq_columns, cols - begin), rest = cols - begin - count;
    const float* u = factor + begin * cols + begin;
    auto metric = schur_metric(u, cols, count);
    auto orders = make_orders(metric.data(), count, count, layer.options.restarts, 1 + begin, false);
    each_group(layer, slab, {begin, count, metric.data(), count, &orders}, [&](GptqBlock& block, int64_t row, int64_t) {
      block.round(slab.current + row * cols + begin, cols, u, cols, fitted);
      block.improve();
      block.store_values(slab.values + row * cols + begin, cols);
      block.store_errors(u, cols, errors.data() + row * count, count);
    });
    gemm<float>({slab.count, rest, count, -1, {errors.data(), count, 1}, {u + count, cols, 1}, slab.current + begin + count, cols, true});
  }
}

// Each block in turn, given all others: gradients are (W - values) H.
void sweep_slab(const GptqLayer& layer, const Slab& slab, int sweep) {
  int64_t cols = layer.cols;
  const double* hessian = layer.options.hessian;
  double mean = 0;
  for (int64_t j = 0; j < cols; j++) mean += hessian[j * cols + j] / static_cast<double>(cols);
  parallel_for(slab.count, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * cols; i < end * cols; i++) slab.current[i] = layer.weights[slab.first * cols + i] - slab.values[i];
  });
  Buffer<float> panel(cols * gptq_columns), gradients(slab.count * gptq_columns);
  for (int64_t begin = 0; begin < cols; begin += gptq_columns) {
    int64_t count = std::min(gptq_columns, cols - begin);
    parallel_for(cols, 64, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) {
        for (int64_t j = 0; j < count; j++) panel[i * count + j] = static_cast<float>(hessian[i * cols + begin + j] + (i == begin + j ? layer.options.damp * mean : 0));
      }
    });
    gemm<float>({slab.count, count, cols, 1, {slab.current, cols, 1}, {panel.data(), count, 1}, gradients.data(), count});
    auto orders = make_orders(panel.data() + begin * count, count, count, layer.options.sweep_restarts, 7 + begin + 1000 * sweep, sweep > 0);
    if (!getenv("ORD") && sweep && orders.size() > 1) std::swap(orders[0], orders.back());
    Buffer<float> targets(slab.count * count);
    if (!orders.empty()) {
      Buffer<double> h(count * count); Buffer<float> f(count * count), inv(count * count);
      for (int i = 0; i < count * count; i++) h[i] = panel[begin * count + i];
      inverse_factor(h.data(), count, 0, f.data());
      gemm<float>({count, count, count, 1, {f.data(), 1, count}, {f.data(), count, 1}, inv.data(), count});
      gemm<float>({slab.count, count, count, 1, {gradients.data(), count, 1}, {inv.data(), count, 1}, targets.data(), count});
    }
    each_group(layer, slab, {begin, count, panel.data() + begin * count, count, &orders}, [&](GptqBlock& block, int64_t row, int64_t used) {
      float* values = slab.values + row * cols + begin;
      block.resume(values, cols, gradients.data() + row * count, count, orders.empty() ? nullptr : targets.data() + row * count);
      block.improve();
      block.store_values(values, cols);
      const float* weights = layer.weights + (slab.first + row) * cols + begin;
      for (int64_t r = 0; r < used; r++) {
        for (int64_t j = 0; j < count; j++) slab.current[(row + r) * cols + begin + j] = weights[r * cols + j] - values[r * cols + j];
      }
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
  int64_t most = std::min(slab_rows, rows);
  Buffer<float> current(most * cols), values(most * cols);
  for (int64_t first = 0; first < rows; first += slab_rows) {
    Slab slab{first, std::min(slab_rows, rows - first), current.data(), values.data()};
    round_slab(layer, slab, factor);
    for (int sweep = 0; options.hessian && sweep < options.sweeps; sweep++) sweep_slab(layer, slab, sweep);
    pack_slab(layer, slab);
  }
}

}  // namespace halftone
