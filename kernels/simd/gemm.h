// Matrix product from a register tile over packed panels (Goto and van de Geijn 2008): both operands are copied into
// panels that the tile reads in order, k is cut into blocks whose panels stay in the caches.
// Every element of C is summed in the same order whatever the number of threads.
#pragma once
#include <cstdint>

namespace halftone {

// A strided view of a matrix that is only read; swapping the strides transposes it.
template <typename T>
struct View {
  const T* data;
  int64_t row_stride, col_stride;

  const T& operator()(int64_t row, int64_t col) const { return data[row * row_stride + col * col_stride]; }
  View transposed() const { return {data, col_stride, row_stride}; }
  View from(int64_t row, int64_t col) const { return {data + row * row_stride + col * col_stride, row_stride, col_stride}; }
};

enum class Region {
  all,
  lower,  // only elements on or below the diagonal are wanted; those above may be overwritten with anything
};

// C [m, n] = alpha A [m, k] B [k, n] (+ C where `add`), C row-major with rows `stride` apart.
// C may share memory with A or B where k <= gemm_depth and the other extent of that operand <= gemm_slab.
template <typename T>
struct Product {
  int64_t m, n, k;
  T alpha;
  View<T> a, b;
  T* c;
  int64_t stride;
  bool add = false;
  Region region = Region::all;
};

template <typename T>
void gemm(const Product<T>&);
extern template void gemm<float>(const Product<float>&);
extern template void gemm<double>(const Product<double>&);

constexpr int64_t gemm_depth = 256;  // k block: a panel of B is 16 KiB, half of a first-level cache
constexpr int64_t gemm_slab = 4096;  // rows and columns packed at once, 4 MiB of floats each

// The parts, for kernels with an output of their own ---------------------------------------------------------------

constexpr int64_t tile_rows = 6;
template <typename T>
constexpr int64_t tile_cols = 64 / sizeof(T);  // one cache line

// What is multiplied best at once: no instruction set keeps more sums in registers.
constexpr int64_t block_rows = 2 * tile_rows;
template <typename T>
constexpr int64_t block_cols = 2 * tile_cols<T>;

// c [rows, cols] = alpha A B (+ c where `add`), A [rows, k] and B [k, cols] in panels as pack_rows and pack_cols make
// them. Nothing outside c is touched.
template <typename T>
struct Block {
  int64_t rows, cols, k;
  T alpha;
  const T *a, *b;
  T* c;
  int64_t stride;
  bool add = false;
};
template <typename T>
using BlockKernel = void (*)(const Block<T>&);
template <typename T>
BlockKernel<T> block_kernel();

// Copies rows [begin, end) of `a` into panels of 6 rows (a column of a panel is contiguous), missing rows as zeros.
// `begin` is a multiple of 6; panel p starts at packed + 6 p k.
template <typename T>
void pack_rows(View<T> a, int64_t begin, int64_t end, int64_t k, T* packed);
// The same for columns of `b`, in panels of tile_cols.
template <typename T>
void pack_cols(View<T> b, int64_t begin, int64_t end, int64_t k, T* packed);

inline int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace halftone
