// Products with a weight in groups of packed codes, w[n, k] = scale[n, k / group] (q[n, k] − zero[n, k / group]), never
// made dense: a block of it is unpacked at a time, into the panels of the register tile of gemm.h.
#pragma once
#include <cstdint>

namespace halftone {

struct PackedWeight {
  const uint8_t* codes;  // [rows, row_bytes], code k of a row at bit k · bits of its little-endian stream
  const float* scales;   // [rows, groups]
  const float* zeros;    // [rows, groups]; nullptr: 2^(bits − 1)
  int64_t rows, cols;    // out features, in features
  int64_t group;         // a multiple of 16 that divides cols, or cols
  int bits;              // 2, 3, 4 or 8
  int64_t groups = cols / group;
  int64_t row_bytes = (cols * bits + 7) / 8;

  const uint8_t* row(int64_t n) const { return codes + n * row_bytes; }
  float zero(int64_t n, int64_t g) const { return zeros ? zeros[n * groups + g] : static_cast<float>(1 << (bits - 1)); }
};

// Runs body(part) for every part in [0, count), in any order and on any threads.
using RunParts = void (*)(void* threads, int64_t count, void (*body)(void* state, int64_t part), void* state);
struct Threads {
  RunParts run;
  void* state;
};

// y [m, rows] = a [m, cols] · wᵀ
void qmatmul_forward(const PackedWeight& w, const float* a, int64_t m, float* y, Threads threads);
// dx [m, cols] = dy [m, rows] · w: the gradient of the forward product's input.
void qmatmul_backward(const PackedWeight& w, const float* dy, int64_t m, float* dx, Threads threads);
// dscales [rows, groups] = Σ_{k in group} (q[n, k] − zero) Σ_m dy[m, n] a[m, k]: the gradient of the scales.
void qmatmul_scale_gradient(const PackedWeight& w, const float* a, const float* dy, int64_t m, float* dscales,
                            Threads threads);

// The parts that depend on the instruction set and the number of bits ------------------------------------------------

constexpr int64_t unpacked_at_once = 16;
constexpr int64_t most_dot_rows = 4;

// How a kernel of dot_rows leaves sixteen codes in its registers: lane i holds code[i] times 2^bit[i], since it masks
// the code where it lies and does not shift it. The other factor of the product is given in that order, times
// 2^−bit[i].
struct Placing {
  int8_t code[unpacked_at_once], bit[unpacked_at_once];
};

struct DotInputs {
  const float* a;           // [m, cols]
  const float* placed;      // [m, whole blocks of 16 columns]: `a` in the kernel's placing
  const float* sums;        // [m, groups]: the sums of a over each group
  const uint8_t* last_row;  // a copy of the weight's last row with `dot_padding` bytes after it
  int64_t m;                // <= most_dot_rows
};
constexpr int64_t dot_padding = 8;  // kernels read past the codes they need, but no further

struct QMatMulKernels {
  // panel [end − begin, 16], at most gemm_depth columns: columns k of rows n..n + 15 (rows past the last repeat it),
  // k-major. begin, end: multiples of 16, but for an end at the last column.
  void (*panel_of_rows)(const PackedWeight& w, int64_t n, int64_t begin, int64_t end, float* panel);
  // out [panels, end − begin, 16]: rows n in [begin, end) by columns k..k + 16 panels − 1 (0 past the last column),
  // panel by panel, n-major.
  void (*panels_of_cols)(const PackedWeight& w, int64_t k, int64_t panels, int64_t begin, int64_t end, float* out);
  // y[i, n] for n in [begin, end) and the few rows i of the inputs.
  void (*dot_rows)(const PackedWeight& w, const DotInputs& inputs, float* y, int64_t begin, int64_t end);
  // Σ_g scales[n, g] zeros[n, g] sums[g]: what the zeros take from the product of row n.
  float (*offset)(const PackedWeight& w, int64_t n, const float* sums);
  // Σ_j (q[n, k + j] − zero[n, g]) x[j] over the 16 columns from k (fewer at the end of a row), which lie in group g.
  float (*dot_codes)(const PackedWeight& w, int64_t n, int64_t k, int64_t g, const float* x);
  Placing placing;
};

// One row of a in fixed point (qmatmul_fixed.avx512vnni.cc), for 2, 3 and 4 bits, groups of 32, 64 and multiples of
// fixed_chunk, or one group a row.
constexpr int64_t fixed_chunk = 128;
struct FixedRow {   // of c = ceil(cols / fixed_chunk) chunks
  int8_t* digits;   // [c, 3, fixed_chunk]
  float* steps;     // [c]
  int32_t* starts;  // [c, 16]: what the sums begin with, the part of a symmetric weight's zero
};
struct FixedKernels {
  // False where the row holds what fixed point cannot (NaN, infinities).
  bool (*fix_row)(const float* a, int64_t cols, bool symmetric, const FixedRow& row);
  // y[n] for n in [begin, end), without the part of a weight's own zeros.
  void (*dot_rows)(const PackedWeight& w, const FixedRow& row, float* y, int64_t begin, int64_t end);
};
struct FixedTable {
  FixedKernels bits2, bits3, bits4;
};
extern const FixedTable qmatmul_fixed_avx512vnni;

// The table for 2, 3, 4 or 8 bits on this machine.
const QMatMulKernels& qmatmul_kernels(int bits);

struct QMatMulTable {
  QMatMulKernels bits2, bits3, bits4, bits8;
};
extern const QMatMulTable qmatmul_scalar;  // defines the others
extern const QMatMulTable qmatmul_avx2;
extern const QMatMulTable qmatmul_avx512;
extern const QMatMulTable qmatmul_neon;

}  // namespace halftone
