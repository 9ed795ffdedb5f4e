#include "gemm.h"

#include <algorithm>

#include "buffer.h"
#include "cpu.h"
#include "gemm_tile.h"
#include "pool.h"

namespace halftone {

#if defined(HALFTONE_X64)
extern const BlockKernel<float> block_float_avx2, block_float_avx512;
extern const BlockKernel<double> block_double_avx2, block_double_avx512;
#elif defined(HALFTONE_ARM64)
extern const BlockKernel<float> block_float_neon;
extern const BlockKernel<double> block_double_neon;
#endif

namespace {

// The baseline: one element at a time, the compiler makes of it what the plain instruction set allows.
template <typename Element>
struct Single {
  using T = Element;
  using Register = Element;
  static constexpr int lanes = 1, rows = 1, panels = 1;
  static Register load(const T* p) { return *p; }
  static void store(T* p, Register v) { *p = v; }
  static Register splat(T x) { return x; }
  static Register fma(Register a, Register b, Register c) { return a * b + c; }
};

constexpr int64_t job_rows = 96;   // with gemm_depth: 96 KiB of packed floats, in a second-level cache
constexpr int64_t job_cols = 512;  // a job is some 25 million operations
constexpr int64_t pack_bytes = 1 << 16;  // copied by one job

template <int64_t width, typename T>
void pack(View<T> lines, int64_t begin, int64_t end, int64_t k, T* packed) {
  for (int64_t first = begin; first < end; first += width) {
    int64_t count = std::min(width, end - first);
    T* panel = packed + first * k;
    View<T> from = lines.from(first, 0);
    if (count < width) {
      std::fill(panel, panel + width * k, T(0));
      for (int64_t p = 0; p < k; p++) {
        for (int64_t i = 0; i < count; i++) panel[p * width + i] = from(i, p);
      }
    } else if (from.row_stride == 1) {
      for (int64_t p = 0; p < k; p++) std::copy_n(from.data + p * from.col_stride, width, panel + p * width);
    } else {
      for (int64_t p = 0; p < k; p++) {
        for (int64_t i = 0; i < width; i++) panel[p * width + i] = from(i, p);
      }
    }
  }
}

template <int64_t width, typename T>
void pack_all(View<T> lines, int64_t count, int64_t k, T* packed) {
  int64_t grain = std::max<int64_t>(1, pack_bytes / static_cast<int64_t>(sizeof(T)) / (width * k)) * width;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) { pack<width>(lines, begin, end, k, packed); });
}

// One job: rows [row, row_end) by columns [col, col_end) of the slab whose first element is (row_base, col_base) of C.
template <typename T>
struct Job {
  const Product<T>& product;
  BlockKernel<T> kernel;
  const T *left, *right;  // packed panels of the slab
  int64_t k, row_base, col_base;
  bool add;

  void run(int64_t row, int64_t row_end, int64_t col, int64_t col_end) const {
    for (int64_t j = col; j < col_end; j += block_cols<T>) {
      int64_t i = std::max(row, first_row(j));
      if (i >= row_end) return;
      T* c = product.c + (row_base + i) * product.stride + col_base + j;
      kernel({row_end - i, std::min(block_cols<T>, col_end - j), k, product.alpha, left + i * k, right + j * k, c, product.stride, add});
    }
  }

  // The first rows that are wanted of the columns from j.
  int64_t first_row(int64_t j) const {
    return product.region == Region::lower ? std::max<int64_t>(0, col_base + j - row_base) / block_rows * block_rows : 0;
  }
};

}  // namespace

template <typename T>
void pack_rows(View<T> a, int64_t begin, int64_t end, int64_t k, T* packed) {
  pack<tile_rows>(a, begin, end, k, packed);
}
template <typename T>
void pack_cols(View<T> b, int64_t begin, int64_t end, int64_t k, T* packed) {
  pack<tile_cols<T>>(b.transposed(), begin, end, k, packed);
}

template <>
BlockKernel<float> block_kernel<float>() {
#if defined(HALFTONE_X64)
  if (simd() >= Simd::avx512) return block_float_avx512;
  if (simd() >= Simd::avx2) return block_float_avx2;
#elif defined(HALFTONE_ARM64)
  if (simd() == Simd::neon) return block_float_neon;
#endif
  return multiply_block<Single<float>>;
}
template <>
BlockKernel<double> block_kernel<double>() {
#if defined(HALFTONE_X64)
  if (simd() >= Simd::avx512) return block_double_avx512;
  if (simd() >= Simd::avx2) return block_double_avx2;
#elif defined(HALFTONE_ARM64)
  if (simd() == Simd::neon) return block_double_neon;
#endif
  return multiply_block<Single<double>>;
}

template <typename T>
void gemm(const Product<T>& product) {
  if (product.m <= 0 || product.n <= 0) return;
  if (product.k <= 0) {
    for (int64_t i = 0; !product.add && i < product.m; i++) std::fill_n(product.c + i * product.stride, product.n, T(0));
    return;
  }
  int64_t depth = std::min(product.k, gemm_depth);
  Buffer<T> left(round_up(std::min(product.m, gemm_slab), tile_rows) * depth);
  Buffer<T> right(round_up(std::min(product.n, gemm_slab), tile_cols<T>) * depth);
  for (int64_t col_base = 0; col_base < product.n; col_base += gemm_slab) {
    int64_t cols = std::min(gemm_slab, product.n - col_base);
    for (int64_t p = 0; p < product.k; p += gemm_depth) {
      int64_t k = std::min(gemm_depth, product.k - p);
      pack_all<tile_cols<T>>(product.b.from(p, col_base).transposed(), cols, k, right.data());
      for (int64_t row_base = 0; row_base < product.m; row_base += gemm_slab) {
        int64_t rows = std::min(gemm_slab, product.m - row_base);
        if (product.region == Region::lower && col_base > row_base + rows - 1) continue;
        pack_all<tile_rows>(product.a.from(row_base, p), rows, k, left.data());
        Job<T> job{product, block_kernel<T>(), left.data(), right.data(), k, row_base, col_base, product.add || p > 0};
        int64_t jobs_down = (rows + job_rows - 1) / job_rows, jobs_across = (cols + job_cols - 1) / job_cols;
        parallel_for(jobs_down * jobs_across, 1, [&](int64_t begin, int64_t end) {
          for (int64_t index = begin; index < end; index++) {
            int64_t row = index % jobs_down * job_rows, col = index / jobs_down * job_cols;
            job.run(row, std::min(row + job_rows, rows), col, std::min(col + job_cols, cols));
          }
        });
      }
    }
  }
}

template void gemm<float>(const Product<float>&);
template void gemm<double>(const Product<double>&);
template void pack_rows<float>(View<float>, int64_t, int64_t, int64_t, float*);
template void pack_cols<float>(View<float>, int64_t, int64_t, int64_t, float*);

}  // namespace halftone
