// The register tile, written once over a vector type
//   V { T; Register; lanes; rows, panels; load, store, splat, fma(a, b, c) = a b + c },
// whose registers hold the sums of up to `rows` rows and `panels` panels of columns.
// Included by one source file per instruction set. Everything here has internal linkage, so that code compiled for a
// wide instruction set is never shared with the baseline.
#pragma once
#include <array>
#include <type_traits>
#include <utility>

#include "gemm.h"

namespace halftone {
namespace {

// body(0), body(1), .. with constants, so that arrays that they index are registers for every compiler.
template <typename Body, int... i>
void each_of(std::integer_sequence<int, i...>, const Body& body) {
  (body(std::integral_constant<int, i>()), ...);
}
template <int count, typename Body>
void each(const Body& body) {
  each_of(std::make_integer_sequence<int, count>(), body);
}

// c [rows, panels of columns]. Row i of `a` is row (i mod tile_rows) of panel (i / tile_rows).
template <typename V, int panels, int rows>
void tile(const Block<typename V::T>& block, const typename V::T* a, const typename V::T* b, typename V::T* c, int64_t stride, bool add) {
  using T = typename V::T;
  constexpr int in_panel = tile_cols<T> / V::lanes, vectors = panels * in_panel;
  const int64_t k = block.k;
  typename V::Register sum[rows][vectors], right[vectors];
  each<rows>([&](auto i) { each<vectors>([&](auto j) { sum[i][j] = V::splat(0); }); });
  for (int64_t p = 0; p < k; p++) {
    each<vectors>([&](auto j) { right[j] = V::load(b + (j / in_panel * k + p) * tile_cols<T> + j % in_panel * V::lanes); });
    each<rows>([&](auto i) {
      const auto left = V::splat(a[(i / tile_rows * k + p) * tile_rows + i % tile_rows]);
      each<vectors>([&](auto j) { sum[i][j] = V::fma(left, right[j], sum[i][j]); });
    });
  }
  const auto scale = V::splat(block.alpha);
  each<rows>([&](auto i) {
    T* row = c + i * stride;
    each<vectors>([&](auto j) {
      const auto before = add ? V::load(row + j * V::lanes) : V::splat(0);
      V::store(row + j * V::lanes, V::fma(scale, sum[i][j], before));
    });
  });
}

template <typename V>
using Tile = void (*)(const Block<typename V::T>&, const typename V::T* a, const typename V::T* b, typename V::T* c, int64_t stride, bool add);

// Tiles of 1, 2, .. V::rows rows.
template <typename V, int panels, int... less_one>
constexpr std::array<Tile<V>, V::rows> tiles_of(std::integer_sequence<int, less_one...>) {
  return {tile<V, panels, less_one + 1>...};
}
template <typename V, int panels>
constexpr auto tiles = tiles_of<V, panels>(std::make_integer_sequence<int, V::rows>());

// A strip of at most V::panels panels of columns, from column j.
template <typename V, int panels>
void strip(const Block<typename V::T>& block, int64_t j, int64_t cols) {
  using T = typename V::T;
  constexpr int64_t width = panels * tile_cols<T>;
  for (int64_t i = 0; i < block.rows; i += V::rows) {
    const int64_t rows = block.rows - i < V::rows ? block.rows - i : V::rows;
    const T* a = block.a + i / tile_rows * tile_rows * block.k + i % tile_rows;
    const T* b = block.b + j * block.k;
    T* c = block.c + i * block.stride + j;
    if (cols == width) {
      tiles<V, panels>[rows - 1](block, a, b, c, block.stride, block.add);
      continue;
    }
    T whole[V::rows * width];
    tiles<V, panels>[rows - 1](block, a, b, whole, width, false);
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t s = 0; s < cols; s++) c[r * block.stride + s] = block.add ? c[r * block.stride + s] + whole[r * width + s] : whole[r * width + s];
    }
  }
}

template <typename V>
void multiply_block(const Block<typename V::T>& block) {
  constexpr int64_t panel = tile_cols<typename V::T>, width = V::panels * panel;
  int64_t j = 0;
  for (; j + width <= block.cols; j += width) strip<V, V::panels>(block, j, width);
  for (; j < block.cols; j += panel) strip<V, 1>(block, j, block.cols - j < panel ? block.cols - j : panel);
}

}  // namespace
}  // namespace halftone
