#include "gptq_metric.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cholesky.h"
#include "gemm.h"
#include "pool.h"

namespace halftone {
namespace {

constexpr double noise = 0.2;  // of the logarithms of conditional variances; measured best among 0.1 to 1

// Numbers in [0, 1), the same on every machine.
struct Random {
  uint32_t state;
  double next() {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) / 16777216.0;
  }
};

// The loss of sequential rounding is the sum of each column's variance given the columns rounded before it, whose
// product is fixed: least where they are alike. So the last column is the one of least variance, the one before it has
// the least given that, and so on; with noise, other orders nearly as good.
std::vector<int64_t> order_of(const float* metric, int64_t n, Random* random) {
  std::vector<double> rest(metric, metric + n * n), weight(static_cast<size_t>(n), 1.0);
  std::vector<int64_t> at(static_cast<size_t>(n));
  std::iota(at.begin(), at.end(), 0);
  for (double& one : weight) {
    if (random) one = std::exp(2 * noise * (random->next() + random->next() + random->next() - 1.5));
  }
  for (int64_t k = n - 1; k > 0; k--) {
    int64_t best = 0;
    for (int64_t j = 1; j <= k; j++) {
      if (rest[j * n + j] * weight[j] < rest[best * n + best] * weight[best]) best = j;
    }
    std::swap(at[best], at[k]);
    std::swap(weight[best], weight[k]);
    std::swap_ranges(rest.begin() + best * n, rest.begin() + best * n + k + 1, rest.begin() + k * n);
    for (int64_t i = 0; i <= k; i++) std::swap(rest[i * n + best], rest[i * n + k]);
    for (int64_t i = 0; i < k; i++) {
      double share = rest[i * n + k] / rest[k * n + k];
      for (int64_t j = 0; j < k; j++) rest[i * n + j] -= share * rest[k * n + j];
    }
  }
  return at;
}

GptqOrder make_order(const float* metric, int64_t n, Random* random) {
  GptqOrder order{order_of(metric, n, random), Buffer<float>(n * n), Buffer<float>(n * n)};
  Buffer<double> turned(n * n);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) {
      order.metric[i * n + j] = metric[order.at[i] * n + order.at[j]];
      turned[i * n + j] = order.metric[i * n + j];
    }
  }
  inverse_factor(turned.data(), n, 0, order.factor.data());
  return order;
}

// A^T A of a [n, n].
void fill_gram(const double* a, int64_t n, float* gram) {
  Buffer<double> product(n * n);
  View<double> view{a, n, 1};
  gemm<double>({n, n, n, 1, view.transposed(), view, product.data(), n});
  std::copy_n(product.data(), n * n, gram);
}

template <class Fill>
std::vector<GptqMetric> by_blocks(int64_t cols, int restarts, int round, Fill fill) {
  std::vector<GptqMetric> metrics;
  for (int64_t begin = 0; begin < cols; begin += gptq_columns) {
    int64_t n = std::min(gptq_columns, cols - begin);
    metrics.push_back({begin, n, Buffer<float>(n * n), Buffer<float>(n * n), {}});
  }
  parallel_for(static_cast<int64_t>(metrics.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; b++) {
      GptqMetric& block = metrics[b];
      fill(block);
      for (int r = 0; r < restarts; r++) {
        Random random{static_cast<uint32_t>(b) * 4099u + static_cast<uint32_t>(round) * 65537u + static_cast<uint32_t>(r)};
        block.orders.push_back(make_order(block.metric.data(), block.count, round <= 1 && r == 0 ? nullptr : &random));
      }
    }
  });
  return metrics;
}

}  // namespace

std::vector<GptqMetric> feedback_metrics(const float* factor, int64_t cols, int restarts) {
  return by_blocks(cols, restarts, 0, [=](GptqMetric& block) {
    int64_t n = block.count;
    Buffer<double> lower(n * n);  // U^T, then its inverse
    const float* u = factor + block.begin * cols + block.begin;
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < n; j++) lower[i * n + j] = j <= i ? u[j * cols + i] : 0;
    }
    invert_lower(lower.data(), n);
    fill_gram(lower.data(), n, block.metric.data());
  });
}

std::vector<GptqMetric> block_metrics(const double* hessian, int64_t cols, double shift, int restarts, int round) {
  return by_blocks(cols, restarts, round, [=](GptqMetric& block) {
    int64_t n = block.count;
    Buffer<double> exact(n * n), factor(n * n);
    Buffer<float> u(n * n);
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < n; j++) exact[i * n + j] = hessian[(block.begin + i) * cols + block.begin + j] + (i == j ? shift : 0);
    }
    std::copy_n(exact.data(), n * n, block.metric.data());
    inverse_factor(exact.data(), n, 0, u.data());
    std::copy_n(u.data(), n * n, factor.data());
    fill_gram(factor.data(), n, block.inverse.data());
  });
}

}  // namespace halftone
