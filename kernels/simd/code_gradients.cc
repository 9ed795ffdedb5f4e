#include "code_gradients.h"

#include <algorithm>

#include "pool.h"

namespace halftone {
namespace {

constexpr int64_t weights_at_once = 1 << 14;
// Partial sums of a group, so that the compiler may take several weights at a time.
constexpr int64_t lanes = 16;

struct Group {
  float sum, product;
};

float total(const float* parts) {
  float sum = 0;
  for (int64_t lane = 0; lane < lanes; lane++) sum += parts[lane];
  return sum;
}

Group one_group(const float* __restrict gradient, const uint8_t* __restrict codes, int64_t count, float middle, float factor, float* __restrict of_codes) {
  float sums[lanes] = {}, products[lanes] = {};
  int64_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    for (int64_t lane = 0; lane < lanes; lane++) {
      const float own = gradient[at + lane];
      of_codes[at + lane] += own * factor;
      sums[lane] += own;
      products[lane] += own * (static_cast<float>(codes[at + lane]) - middle);
    }
  }
  for (int64_t lane = 0; at < count; at++, lane++) {
    of_codes[at] += gradient[at] * factor;
    sums[lane] += gradient[at];
    products[lane] += gradient[at] * (static_cast<float>(codes[at]) - middle);
  }
  return {total(sums), total(products)};
}

}  // namespace

void code_gradients(const float* gradient, const uint8_t* codes, const CodeGroups& groups, const float* scales, float* of_codes, float* sums, float* products) {
  const auto [rows, cols, group, middle, step] = groups;
  parallel_for(rows * (cols / group), std::max<int64_t>(1, weights_at_once / group), [&, group = group, middle = middle, step = step](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; index++) {
      const int64_t first = index * group;
      const Group own = one_group(gradient + first, codes + first, group, middle, scales[index] * step, of_codes + first);
      sums[index] = own.sum;
      products[index] = own.product;
    }
  });
}

}  // namespace halftone
