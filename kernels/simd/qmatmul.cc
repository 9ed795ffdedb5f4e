#include "qmatmul.h"

#include <algorithm>
#include <cmath>

#include "buffer.h"
#include "cpu.h"
#include "gemm.h"

namespace halftone {
namespace {

constexpr int64_t panel_cols = tile_cols<float>;
static_assert(panel_cols == unpacked_at_once);

// Parts of work, in output rows or columns. A block of activations is read again for every part, so that parts are as
// wide as the second-level cache allows, but for sixteen of them. They do not change the order in which an element is
// summed.
constexpr int64_t least_span = 4 * panel_cols, most_span = 16 * panel_cols;
int64_t part_span(int64_t count) { return std::clamp(round_up(count / 16, panel_cols), least_span, most_span); }

constexpr int64_t gradient_span = 8 * tile_rows;
constexpr int64_t dot_weights = 1 << 16;  // weights of a part of a product with few rows

int64_t parts_of(int64_t count, int64_t span) { return (count + span - 1) / span; }

template <typename Body>
void run_parts(Threads threads, int64_t count, const Body& body) {
  threads.run(
      threads.state, count, [](void* state, int64_t part) { (*static_cast<const Body*>(state))(part); },
      const_cast<Body*>(&body));
}

// c [rows, cols] (+)= one tile; what lies outside c is dropped.
void edge_tile(TileKernel<float> tile, int64_t k, const float* a, const float* b, float* c, int64_t stride,
               int64_t rows, int64_t cols, bool add) {
  if (rows == tile_rows && cols == panel_cols) return tile(k, a, b, 1, c, stride, add);
  float whole[tile_rows * panel_cols];
  tile(k, a, b, 1, whole, panel_cols, false);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < cols; j++)
      c[i * stride + j] = add ? c[i * stride + j] + whole[i * panel_cols + j] : whole[i * panel_cols + j];
  }
}

// x [m, depth] in panels of six rows, one block of gemm_depth columns after the other.
struct Panels {
  Buffer<float> packed;
  int64_t padded;  // rows

  Panels(const float* x, int64_t m, int64_t depth, Threads threads)
      : packed(round_up(m, tile_rows) * depth), padded(round_up(m, tile_rows)) {
    run_parts(threads, parts_of(depth, gemm_depth), [&](int64_t part) {
      int64_t begin = part * gemm_depth, k = std::min(gemm_depth, depth - begin);
      pack_rows(View<float>{x + begin, depth, 1}, 0, m, k, packed.data() + begin * padded);
    });
  }
  const float* block(int64_t begin) const { return packed.data() + begin * padded; }
};

// One panel of the weight against all of x: c [m, cols] (+)= x block · panel.
void multiply_panel(const Panels& x, int64_t begin, int64_t k, int64_t m, const float* panel, float* c, int64_t stride,
                    int64_t cols) {
  auto tile = tile_kernel<float>();
  for (int64_t i = 0; i < m; i += tile_rows)
    edge_tile(tile, k, x.block(begin) + i * k, panel, c + i * stride, stride, std::min(tile_rows, m - i), cols,
              begin > 0);
}

int64_t dot_span(const PackedWeight& w) { return std::max<int64_t>(panel_cols, dot_weights / w.cols); }

// sums [m, groups]. Four sums at a time: the latency of one addition would hold up the whole product.
void sum_groups(const PackedWeight& w, const float* a, int64_t m, float* sums) {
  for (int64_t i = 0; i < m * w.groups; i++, a += w.group) {
    double sum[4] = {0, 0, 0, 0};
    for (int64_t k = 0; k < w.group; k++) sum[k % 4] += a[k];
    sums[i] = static_cast<float>(sum[0] + sum[1] + (sum[2] + sum[3]));
  }
}

// nullptr where this machine or the weight's format has none.
const FixedKernels* fixed_kernels(const PackedWeight& w) {
#if defined(HALFTONE_X64)
  bool fits = w.groups == 1 || w.group == 32 || w.group == 64 || w.group % fixed_chunk == 0;
  if (w.bits > 4 || !fits || simd() != Simd::avx2 || !has_avx512()) return nullptr;
  return w.bits == 2   ? &qmatmul_fixed_avx512.bits2
         : w.bits == 3 ? &qmatmul_fixed_avx512.bits3
                       : &qmatmul_fixed_avx512.bits4;
#else
  static_cast<void>(w);
  return nullptr;
#endif
}

// What dot_rows wants of m rows of a.
struct FewRows {
  Buffer<float> sums, placed;
  Buffer<uint8_t> last_row;
  DotInputs inputs;

  FewRows(const PackedWeight& w, const float* a, int64_t m)
      : sums(m * w.groups),
        placed(m * w.cols),
        last_row(w.row_bytes + dot_padding),
        inputs{a, placed.data(), sums.data(), last_row.data(), m} {
    sum_groups(w, a, m, sums.data());
    place(qmatmul_kernels(w.bits).placing, w.cols, a, m);
    std::copy_n(w.row(w.rows - 1), w.row_bytes, last_row.data());
    std::fill_n(last_row.data() + w.row_bytes, dot_padding, uint8_t(0));
  }

  void place(const Placing& placing, int64_t cols, const float* a, int64_t m) {
    float factors[unpacked_at_once];
    for (int i = 0; i < unpacked_at_once; i++) factors[i] = std::ldexp(1.0f, -placing.bit[i]);
    float* to = placed.data();
    for (int64_t row = 0; row < m; row++) {
      for (int64_t k = 0; k + unpacked_at_once <= cols; k += unpacked_at_once) {
        for (int i = 0; i < unpacked_at_once; i++) *to++ = a[row * cols + k + placing.code[i]] * factors[i];
      }
    }
  }
};

// One row in fixed point; false where this machine, the weight or the row does not allow it.
bool forward_fixed(const PackedWeight& w, const float* a, float* y, Threads threads) {
  const FixedKernels* kernels = fixed_kernels(w);
  if (!kernels) return false;
  int64_t chunks = parts_of(w.cols, fixed_chunk);
  Buffer<int8_t> digits(chunks * 3 * fixed_chunk);
  Buffer<float> steps(chunks), sums(w.groups);
  Buffer<int32_t> starts(chunks * 16);
  FixedRow row = {digits.data(), steps.data(), starts.data()};
  if (!kernels->fix_row(a, w.cols, w.zeros == nullptr, row)) return false;
  if (w.zeros) sum_groups(w, a, 1, sums.data());
  int64_t span = dot_span(w);
  run_parts(threads, parts_of(w.rows, span), [&](int64_t part) {
    int64_t begin = part * span, end = std::min(w.rows, begin + span);
    kernels->dot_rows(w, row, y, begin, end);
    for (int64_t n = begin; w.zeros && n < end; n++) y[n] -= qmatmul_kernels(w.bits).offset(w, n, sums.data());
  });
  return true;
}

void forward_few(const PackedWeight& w, const float* a, int64_t m, float* y, Threads threads) {
  if (m == 1 && forward_fixed(w, a, y, threads)) return;
  FewRows few(w, a, m);
  int64_t span = dot_span(w);
  run_parts(threads, parts_of(w.rows, span), [&](int64_t part) {
    qmatmul_kernels(w.bits).dot_rows(w, few.inputs, y, part * span, std::min(w.rows, (part + 1) * span));
  });
}

}  // namespace

const QMatMulKernels& qmatmul_kernels(int bits) {
  const QMatMulTable* table = &qmatmul_scalar;
#if defined(HALFTONE_X64)
  if (simd() == Simd::avx2) table = &qmatmul_avx2;
#elif defined(HALFTONE_ARM64)
  if (simd() == Simd::neon) table = &qmatmul_neon;
#endif
  return bits == 2 ? table->bits2 : bits == 3 ? table->bits3 : bits == 4 ? table->bits4 : table->bits8;
}

void qmatmul_forward(const PackedWeight& w, const float* a, int64_t m, float* y, Threads threads) {
  if (m <= most_dot_rows) return forward_few(w, a, m, y, threads);
  Panels x(a, m, w.cols, threads);
  int64_t span = part_span(w.rows);
  run_parts(threads, parts_of(w.rows, span), [&](int64_t part) {
    Buffer<float> panel(gemm_depth * panel_cols);
    int64_t last = std::min(w.rows, (part + 1) * span);
    for (int64_t begin = 0; begin < w.cols; begin += gemm_depth) {
      int64_t end = std::min(w.cols, begin + gemm_depth);
      for (int64_t n = part * span; n < last; n += panel_cols) {
        qmatmul_kernels(w.bits).panel_of_rows(w, n, begin, end, panel.data());
        multiply_panel(x, begin, end - begin, m, panel.data(), y + n, w.rows, std::min(panel_cols, last - n));
      }
    }
  });
}

void qmatmul_backward(const PackedWeight& w, const float* dy, int64_t m, float* dx, Threads threads) {
  Panels x(dy, m, w.rows, threads);
  int64_t span = part_span(w.cols);
  run_parts(threads, parts_of(w.cols, span), [&](int64_t part) {
    Buffer<float> panel(gemm_depth * panel_cols);
    int64_t last = std::min(w.cols, (part + 1) * span);
    for (int64_t begin = 0; begin < w.rows; begin += gemm_depth) {
      int64_t end = std::min(w.rows, begin + gemm_depth);
      for (int64_t k = part * span; k < last; k += panel_cols) {
        qmatmul_kernels(w.bits).panel_of_cols(w, k, begin, end, panel.data());
        multiply_panel(x, begin, end - begin, m, panel.data(), dx + k, w.cols, std::min(panel_cols, last - k));
      }
    }
  });
}

void qmatmul_scale_gradient(const PackedWeight& w, const float* a, const float* dy, int64_t m, float* dscales,
                            Threads threads) {
  int64_t strips = parts_of(w.cols, panel_cols), groups = w.groups;
  Buffer<float> inputs(strips * panel_cols * m);
  run_parts(threads, strips, [&](int64_t strip) {
    int64_t begin = strip * panel_cols, end = std::min(w.cols, begin + panel_cols);
    pack_cols(View<float>{a + begin, w.cols, 1}, 0, end - begin, m, inputs.data() + begin * m);
  });
  run_parts(threads, parts_of(w.rows, gradient_span), [&](int64_t part) {
    auto tile = tile_kernel<float>();
    int64_t first = part * gradient_span, last = std::min(w.rows, first + gradient_span);
    Buffer<float> outputs(gradient_span * m), product(tile_rows * panel_cols);
    Buffer<double> sums(gradient_span);
    pack_rows(View<float>{dy + first, 1, w.rows}, 0, last - first, m, outputs.data());
    std::fill_n(sums.data(), gradient_span, 0.0);
    for (int64_t k = 0; k < w.cols; k += panel_cols) {
      for (int64_t n = first; n < last; n += tile_rows) {
        tile(m, outputs.data() + (n - first) * m, inputs.data() + k * m, 1, product.data(), panel_cols, false);
        for (int64_t i = 0; i < std::min(tile_rows, last - n); i++)
          sums[n - first + i] +=
              qmatmul_kernels(w.bits).dot_codes(w, n + i, k, k / w.group, product.data() + i * panel_cols);
      }
      if ((k + panel_cols) % w.group != 0 && k + panel_cols < w.cols) continue;
      for (int64_t n = first; n < last; n++) {
        dscales[n * groups + k / w.group] = static_cast<float>(sums[n - first]);
        sums[n - first] = 0;
      }
    }
  });
}

}  // namespace halftone
