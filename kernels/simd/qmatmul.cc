#include "qmatmul.h"

#include <algorithm>
#include <cmath>

#include "buffer.h"
#include "cpu.h"
#include "gemm.h"

namespace halftone {
namespace {

constexpr int64_t panel_cols = tile_cols<float>, block_width = block_cols<float>;
static_assert(panel_cols == unpacked_at_once);

// Parts of work, in output rows or columns. A block of activations is read again for every part, so that parts are as
// wide as the second-level cache allows, but for sixteen of them. They do not change the order in which an element is
// summed.
constexpr int64_t least_span = 4 * panel_cols, most_span = 16 * panel_cols;
int64_t part_span(int64_t count) { return std::clamp(round_up(count / 16, block_width), least_span, most_span); }

constexpr int64_t gradient_span = 8 * tile_rows;
constexpr int64_t dot_weights = 1 << 16;  // weights of a part of a product with few rows

int64_t parts_of(int64_t count, int64_t span) { return (count + span - 1) / span; }

template <typename Body>
void run_parts(Threads threads, int64_t count, const Body& body) {
  threads.run(
      threads.state, count, [](void* state, int64_t part) { (*static_cast<const Body*>(state))(part); },
      const_cast<Body*>(&body));
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

// c [m, cols] = x [m, depth] times a matrix of which unpack(col, panels, begin, end, out) writes some panels of the
// columns from `col`, rows [begin, end).
template <typename Unpack>
void multiply(const Panels& x, int64_t m, int64_t depth, int64_t cols, float* c, Threads threads, const Unpack& unpack) {
  int64_t span = part_span(cols);
  run_parts(threads, parts_of(cols, span), [&](int64_t part) {
    auto multiply_block = block_kernel<float>();
    Buffer<float> panels(gemm_depth * block_width);
    int64_t last = std::min(cols, (part + 1) * span);
    for (int64_t begin = 0; begin < depth; begin += gemm_depth) {
      int64_t end = std::min(depth, begin + gemm_depth), k = end - begin;
      for (int64_t j = part * span; j < last; j += block_width) {
        int64_t across = std::min(block_width, last - j);
        unpack(j, parts_of(across, panel_cols), begin, end, panels.data());
        multiply_block({m, across, k, 1, x.block(begin), panels.data(), c + j, cols, begin > 0});
      }
    }
  });
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
  if (w.bits > 4 || !fits || simd() < Simd::avx512vnni) return nullptr;
  return w.bits == 2   ? &qmatmul_fixed_avx512vnni.bits2
         : w.bits == 3 ? &qmatmul_fixed_avx512vnni.bits3
                       : &qmatmul_fixed_avx512vnni.bits4;
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
  if (simd() >= Simd::avx512)
    table = &qmatmul_avx512;
  else if (simd() >= Simd::avx2)
    table = &qmatmul_avx2;
#elif defined(HALFTONE_ARM64)
  if (simd() == Simd::neon) table = &qmatmul_neon;
#endif
  return bits == 2 ? table->bits2 : bits == 3 ? table->bits3 : bits == 4 ? table->bits4 : table->bits8;
}

void qmatmul_forward(const PackedWeight& w, const float* a, int64_t m, float* y, Threads threads) {
  if (m <= most_dot_rows) return forward_few(w, a, m, y, threads);
  const auto& kernels = qmatmul_kernels(w.bits);
  multiply(Panels(a, m, w.cols, threads), m, w.cols, w.rows, y, threads,
           [&](int64_t n, int64_t panels, int64_t begin, int64_t end, float* out) {
             for (int64_t i = 0; i < panels * panel_cols; i += panel_cols)
               kernels.panel_of_rows(w, n + i, begin, end, out + i * (end - begin));
           });
}

void qmatmul_backward(const PackedWeight& w, const float* dy, int64_t m, float* dx, Threads threads) {
  const auto& kernels = qmatmul_kernels(w.bits);
  multiply(Panels(dy, m, w.rows, threads), m, w.rows, w.cols, dx, threads,
           [&](int64_t k, int64_t panels, int64_t begin, int64_t end, float* out) {
             kernels.panels_of_cols(w, k, panels, begin, end, out);
           });
}

void qmatmul_scale_gradient(const PackedWeight& w, const float* a, const float* dy, int64_t m, float* dscales,
                            Threads threads) {
  const auto& kernels = qmatmul_kernels(w.bits);
  int64_t strips = parts_of(w.cols, panel_cols), groups = w.groups;
  Buffer<float> inputs(strips * panel_cols * m);
  run_parts(threads, strips, [&](int64_t strip) {
    int64_t begin = strip * panel_cols, end = std::min(w.cols, begin + panel_cols);
    pack_cols(View<float>{a + begin, w.cols, 1}, 0, end - begin, m, inputs.data() + begin * m);
  });
  run_parts(threads, parts_of(w.rows, gradient_span), [&](int64_t part) {
    auto multiply_block = block_kernel<float>();
    int64_t first = part * gradient_span, last = std::min(w.rows, first + gradient_span);
    Buffer<float> outputs(gradient_span * m), product(gradient_span * block_width);
    Buffer<double> sums(gradient_span);
    pack_rows(View<float>{dy + first, 1, w.rows}, 0, last - first, m, outputs.data());
    std::fill_n(sums.data(), gradient_span, 0.0);
    for (int64_t k = 0; k < strips * panel_cols; k += panel_cols) {
      int64_t column = k % block_width;
      if (column == 0) {
        int64_t across = std::min(block_width, strips * panel_cols - k);
        multiply_block({last - first, across, m, 1, outputs.data(), inputs.data() + k * m, product.data(), block_width});
      }
      for (int64_t n = first; n < last; n++)
        sums[n - first] += kernels.dot_codes(w, n, k, k / w.group, product.data() + (n - first) * block_width + column);
      if ((k + panel_cols) % w.group != 0 && k + panel_cols < w.cols) continue;
      for (int64_t n = first; n < last; n++) {
        dscales[n * groups + k / w.group] = static_cast<float>(sums[n - first]);
        sums[n - first] = 0;
      }
    }
  });
}

}  // namespace halftone
