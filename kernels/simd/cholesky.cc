#include "cholesky.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gemm.h"
#include "pool.h"

namespace halftone {
namespace {

constexpr int64_t base = 64;  // order of the blocks that are factored and inverted element by element

// A lower triangular matrix with the inverses of its diagonal blocks, [base, base] each.
template <typename T>
struct Lower {
  T* l;
  int64_t stride;
  T* inverses;

  View<T> view(int64_t row, int64_t col) const { return {l + row * stride + col, stride, 1}; }
  View<T> inverse(int64_t first) const { return {inverses + first * base, base, 1}; }
};

// Where a range of blocks is cut in two.
int64_t middle(int64_t begin, int64_t end) { return begin + round_up((end - begin) / 2, base); }

template <typename T>
bool factor_block(T* a, int64_t stride, int64_t n, const T* least) {
  for (int64_t j = 0; j < n; j++) {
    T* row = a + j * stride;
    T pivot = row[j];
    for (int64_t p = 0; p < j; p++) pivot -= row[p] * row[p];
    if (!(pivot > least[j]) || !std::isfinite(pivot)) return false;
    row[j] = std::sqrt(pivot);
    for (int64_t i = j + 1; i < n; i++) {
      T* below = a + i * stride;
      T sum = below[j];
      for (int64_t p = 0; p < j; p++) sum -= below[p] * row[p];
      below[j] = sum / row[j];
    }
  }
  return true;
}

template <typename T>
void invert_block(const T* l, int64_t stride, int64_t n, T* inverse) {
  std::fill(inverse, inverse + n * base, T(0));
  for (int64_t i = 0; i < n; i++) {
    T* row = inverse + i * base;
    for (int64_t p = 0; p < i; p++) {
      T factor = l[i * stride + p];
      for (int64_t j = 0; j <= p; j++) row[j] -= factor * inverse[p * base + j];
    }
    T reciprocal = 1 / l[i * stride + i];
    for (int64_t j = 0; j < i; j++) row[j] *= reciprocal;
    row[i] = reciprocal;
  }
}

// x [rows, begin..end) becomes x L^-T, with the diagonal blocks [begin, end) of L. `x` points at column 0.
template <typename T>
void solve_right_transposed(const Lower<T>& lower, int64_t begin, int64_t end, T* x, int64_t stride, int64_t rows) {
  View<T> view{x, stride, 1};
  if (end - begin <= base) {
    gemm<T>({rows, end - begin, end - begin, 1, view.from(0, begin), lower.inverse(begin).transposed(), x + begin, stride});
    return;
  }
  int64_t cut = middle(begin, end);
  solve_right_transposed(lower, begin, cut, x, stride, rows);
  gemm<T>({rows, end - cut, cut - begin, -1, view.from(0, begin), lower.view(cut, begin).transposed(), x + cut, stride, true});
  solve_right_transposed(lower, cut, end, x, stride, rows);
}

// x [rows, begin..end) becomes x L^-1.
template <typename T>
void solve_right(const Lower<T>& lower, int64_t begin, int64_t end, T* x, int64_t stride, int64_t rows) {
  View<T> view{x, stride, 1};
  if (end - begin <= base) {
    gemm<T>({rows, end - begin, end - begin, 1, view.from(0, begin), lower.inverse(begin), x + begin, stride});
    return;
  }
  int64_t cut = middle(begin, end);
  solve_right(lower, cut, end, x, stride, rows);
  gemm<T>({rows, cut - begin, end - cut, -1, view.from(0, cut), lower.view(cut, begin), x + begin, stride, true});
  solve_right(lower, begin, cut, x, stride, rows);
}

// x [begin..end, cols) becomes L^-1 x. `x` points at row 0.
template <typename T>
void solve_left(const Lower<T>& lower, int64_t begin, int64_t end, T* x, int64_t stride, int64_t cols) {
  View<T> view{x, stride, 1};
  if (end - begin <= base) {
    gemm<T>({end - begin, cols, end - begin, 1, lower.inverse(begin), view.from(begin, 0), x + begin * stride, stride});
    return;
  }
  int64_t cut = middle(begin, end);
  solve_left(lower, begin, cut, x, stride, cols);
  gemm<T>({end - cut, cols, cut - begin, -1, lower.view(cut, begin), view.from(begin, 0), x + cut * stride, stride, true});
  solve_left(lower, cut, end, x, stride, cols);
}

template <typename T>
bool factor(const Lower<T>& lower, int64_t begin, int64_t end, const T* least) {
  if (end - begin <= base) {
    T* block = lower.l + begin * lower.stride + begin;
    if (!factor_block(block, lower.stride, end - begin, least + begin)) return false;
    invert_block(block, lower.stride, end - begin, lower.inverses + begin * base);
    return true;
  }
  int64_t cut = middle(begin, end), below = end - cut;
  if (!factor(lower, begin, cut, least)) return false;
  T* panel = lower.l + cut * lower.stride;
  solve_right_transposed(lower, begin, cut, panel, lower.stride, below);
  View<T> view{panel + begin, lower.stride, 1};
  gemm<T>({below, below, cut - begin, -1, view, view.transposed(), panel + cut, lower.stride, true, Region::lower});
  return factor(lower, cut, end, least);
}

template <typename T>
std::vector<T> block_inverses(const T* l, int64_t n) {
  std::vector<T> inverses(static_cast<size_t>(round_up(n, base) * base));
  parallel_for(n, base, [&](int64_t begin, int64_t end) { invert_block(l + begin * n + begin, n, end - begin, inverses.data() + begin * base); });
  return inverses;
}

// The part below the diagonal is -L22^-1 L21 L11^-1, which needs L11 and L22 themselves: it comes first.
template <typename T>
void invert(const Lower<T>& lower, int64_t begin, int64_t end) {
  if (end - begin <= base) {
    for (int64_t i = begin; i < end; i++) std::copy_n(lower.inverses + i * base, i - begin + 1, lower.l + i * lower.stride + begin);
    return;
  }
  int64_t cut = middle(begin, end);
  solve_right(lower, begin, cut, lower.l + cut * lower.stride, lower.stride, end - cut);
  solve_left(lower, cut, end, lower.l + begin, lower.stride, cut - begin);
  for (int64_t i = cut; i < end; i++) {
    T* row = lower.l + i * lower.stride;
    for (int64_t j = begin; j < cut; j++) row[j] = -row[j];
  }
  invert(lower, begin, cut);
  invert(lower, cut, end);
}

}  // namespace

template <typename T>
bool cholesky(T* a, int64_t n) {
  std::vector<T> least(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) least[i] = static_cast<T>(n) * std::numeric_limits<T>::epsilon() * std::fabs(a[i * n + i]);
  std::vector<T> inverses(static_cast<size_t>(round_up(n, base) * base));
  if (!factor(Lower<T>{a, n, inverses.data()}, 0, n, least.data())) return false;
  for (int64_t i = 0; i < n; i++) std::fill(a + i * n + i + 1, a + (i + 1) * n, T(0));
  return true;
}

template <typename T>
void invert_lower(T* l, int64_t n) {
  auto inverses = block_inverses(l, n);
  invert(Lower<T>{l, n, inverses.data()}, 0, n);
}

template <typename T>
void solve_right(const T* l, int64_t n, T* x, int64_t rows) {
  auto inverses = block_inverses(l, n);
  solve_right(Lower<T>{const_cast<T*>(l), n, inverses.data()}, 0, n, x, n, rows);
}

template bool cholesky<float>(float*, int64_t);
template bool cholesky<double>(double*, int64_t);
template void invert_lower<float>(float*, int64_t);
template void invert_lower<double>(double*, int64_t);
template void solve_right<float>(const float*, int64_t, float*, int64_t);
template void solve_right<double>(const double*, int64_t, double*, int64_t);

}  // namespace halftone
