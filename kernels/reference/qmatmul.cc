// The plain versions: one code at a time.
#include "../simd/qmatmul.h"

#include <algorithm>

namespace halftone {
namespace {

int code_at(const PackedWeight& w, int64_t n, int64_t k) {
  int64_t bit = k * w.bits;
  const uint8_t* byte = w.row(n) + bit / 8;
  int shift = static_cast<int>(bit % 8);
  int word = byte[0];
  if (shift + w.bits > 8) word |= byte[1] << 8;
  return word >> shift & ((1 << w.bits) - 1);
}

float weight_at(const PackedWeight& w, int64_t n, int64_t k) {
  int64_t g = k / w.group;
  return w.scales[n * w.groups + g] * (static_cast<float>(code_at(w, n, k)) - w.zero(n, g));
}

void panel_of_rows(const PackedWeight& w, int64_t n, int64_t begin, int64_t end, float* panel) {
  for (int64_t k = begin; k < end; k++) {
    for (int64_t i = 0; i < 16; i++) *panel++ = weight_at(w, std::min(n + i, w.rows - 1), k);
  }
}

void panels_of_cols(const PackedWeight& w, int64_t k, int64_t panels, int64_t begin, int64_t end, float* out) {
  for (int64_t first = k; first < k + 16 * panels; first += 16) {
    for (int64_t n = begin; n < end; n++) {
      for (int64_t i = first; i < first + 16; i++) *out++ = i < w.cols ? weight_at(w, n, i) : 0;
    }
  }
}

void dot_rows(const PackedWeight& w, const DotInputs& inputs, float* y, int64_t begin, int64_t end) {
  for (int64_t i = 0; i < inputs.m; i++) {
    for (int64_t n = begin; n < end; n++) {
      float sum = 0;
      for (int64_t k = 0; k < w.cols; k++) sum += inputs.a[i * w.cols + k] * weight_at(w, n, k);
      y[i * w.rows + n] = sum;
    }
  }
}

float offset(const PackedWeight& w, int64_t n, const float* sums) {
  float sum = 0;
  for (int64_t g = 0; g < w.groups; g++) sum += w.scales[n * w.groups + g] * w.zero(n, g) * sums[g];
  return sum;
}

float dot_codes(const PackedWeight& w, int64_t n, int64_t k, int64_t g, const float* x) {
  float zero = w.zero(n, g), sum = 0;
  for (int64_t j = 0; j < std::min<int64_t>(16, w.cols - k); j++)
    sum += (static_cast<float>(code_at(w, n, k + j)) - zero) * x[j];
  return sum;
}

constexpr QMatMulKernels plain = {panel_of_rows, panels_of_cols, dot_rows, offset, dot_codes, {}};

}  // namespace

const QMatMulTable qmatmul_scalar = {plain, plain, plain, plain};

}  // namespace halftone
