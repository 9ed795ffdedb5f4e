// The register tile, written once over a vector type V { T; lanes; rows; load, store, splat, fma(a, b, c) = a b + c }.
// Included by one source file per instruction set. Everything here has internal linkage, so that code compiled for a
// wide instruction set is never shared with the baseline.
#pragma once
#include "gemm.h"

namespace halftone {
namespace {

// The sums of V::rows rows are kept in registers at a time: all six where there are enough of them.
template <typename V>
void tile(int64_t k, const typename V::T* a, const typename V::T* b, typename V::T alpha, typename V::T* c, int64_t stride, bool add) {
  using T = typename V::T;
  constexpr int vectors = tile_cols<T> / V::lanes;
  for (int first = 0; first < tile_rows; first += V::rows) {
    typename V::Register sum[V::rows][vectors];
    for (int i = 0; i < V::rows; i++) {
      for (int j = 0; j < vectors; j++) sum[i][j] = V::splat(0);
    }
    for (int64_t p = 0; p < k; p++) {
      typename V::Register right[vectors];
      for (int j = 0; j < vectors; j++) right[j] = V::load(b + p * tile_cols<T> + j * V::lanes);
      for (int i = 0; i < V::rows; i++) {
        auto left = V::splat(a[p * tile_rows + first + i]);
        for (int j = 0; j < vectors; j++) sum[i][j] = V::fma(left, right[j], sum[i][j]);
      }
    }
    auto scale = V::splat(alpha);
    for (int i = 0; i < V::rows; i++) {
      T* row = c + (first + i) * stride;
      for (int j = 0; j < vectors; j++) {
        auto before = add ? V::load(row + j * V::lanes) : V::splat(0);
        V::store(row + j * V::lanes, V::fma(scale, sum[i][j], before));
      }
    }
  }
}

}  // namespace
}  // namespace halftone
