// The kernels of qmatmul.h, written once over a vector type
//   V { lanes; Register; load, store, splat, fma(a, b, c) = a b + c, add, mul, sum(v);
//       dot_sums: how many independent sums hide the latency of fma;
//       code_of<bits, first>(word, next): in every lane the code at bit `first` of its word of 32 bits as a float, the
//       rest of it from the next word where it goes past the end;
//       unpack<bits>(p, Register out[16 / lanes]): 16 codes as floats, reads 2 · bits bytes;
//       placing<bits>, place<bits>(p, Register out[16 / lanes]): the same in their places, may read dot_padding bytes
//       more; prefetch(p), transpose(Register v[lanes]) in place }.
// Included by one source file per instruction set. Everything here has internal linkage (see gemm_tile.h).
#pragma once
#include <cstring>
#include <utility>

#include "gemm.h"
#include "qmatmul.h"

namespace halftone {
namespace {

// Codes in their order, code i at bit first + step · i of its register, and from code 8 on at bit second + step · (i −
// 8).
constexpr Placing straight(int step, int first, int second) {
  Placing placing = {};
  for (int i = 0; i < 16; i++) {
    placing.code[i] = static_cast<int8_t>(i);
    placing.bit[i] = static_cast<int8_t>(i < 8 ? first + step * i : second + step * (i - 8));
  }
  return placing;
}

template <typename V, int bits>
struct Packed {
  using Register = typename V::Register;
  static constexpr int vectors = 16 / V::lanes;

  // Codes k..k + 15 of a row; those past its end are 0.
  static void codes(const PackedWeight& w, int64_t n, int64_t k, Register* out) {
    const uint8_t* from = w.row(n) + k * bits / 8;
    if (k + 16 <= w.cols) return V::template unpack<bits>(from, out);
    uint8_t last[2 * bits] = {};
    std::memcpy(last, from, static_cast<size_t>(w.row_bytes - k * bits / 8));
    V::template unpack<bits>(last, out);
  }

  // The words of 32 bits that hold codes [begin, end) of rows n..n + 15, turned: words [.., 16]. Turning words and not
  // codes is less work by the number of codes in a word.
  static void turn_words(const PackedWeight& w, int64_t n, int64_t begin, int64_t end, float* words) {
    const int64_t from = begin * bits / 8, bytes = ((end - begin) * bits + 7) / 8;
    const uint8_t* last = w.row(w.rows);
    for (int first = 0; first < 16; first += V::lanes) {
      for (int64_t at = 0; at < bytes; at += sizeof(Register)) {
        Register block[V::lanes];
        for (int i = 0; i < V::lanes; i++) {
          const int64_t row = n + first + i < w.rows ? n + first + i : w.rows - 1;
          block[i] = load_words(w.row(row) + from + at, last);
          V::prefetch(w.row(row + block_cols<float>) + from + at);  // of the next panels
        }
        V::transpose(block);
        for (int i = 0; i < V::lanes; i++) V::store(words + (at / 4 + i) * 16 + first, block[i]);
      }
    }
  }
  static Register load_words(const uint8_t* p, const uint8_t* end) {
    if (p + sizeof(Register) <= end) return V::load(reinterpret_cast<const float*>(p));
    float rest[V::lanes] = {};
    if (p < end) std::memcpy(rest, p, static_cast<size_t>(end - p));
    return V::load(rest);
  }

  // Scales and zeros of sixteen rows in one group.
  struct Scales {
    float scale[16], minus_zero[16];

    void read(const PackedWeight& w, int64_t n, int64_t g) {
      for (int i = 0; i < 16; i++) {
        const int64_t row = n + i < w.rows ? n + i : w.rows - 1;
        scale[i] = w.scales[row * w.groups + g];
        minus_zero[i] = -w.zero(row, g);
      }
    }
  };

  // Code c of the 32 that `bits` turned words hold.
  template <int c>
  static Register turned_code(const float* words) {
    constexpr int word = c * bits / 32, last = (c * bits + bits - 1) / 32;
    return V::template code_of<bits, c * bits % 32>(V::load(words + word * 16), V::load(words + last * 16));
  }
  // Sixteen rows of the panel, of codes first, first + 1, .. of the words.
  template <int first, int... i>
  static void write_rows(const float* words, const Scales& scales, float* panel, std::integer_sequence<int, i...>) {
    for (int v = 0; v < 16; v += V::lanes) {
      const Register scale = V::load(scales.scale + v), minus_zero = V::load(scales.minus_zero + v);
      (V::store(panel + i * 16 + v, V::mul(V::add(turned_code<first + i>(words + v), minus_zero), scale)), ...);
    }
  }
  template <int first>
  static void write_rows(const float* words, const Scales& scales, float* panel, int64_t count) {
    constexpr auto all = std::make_integer_sequence<int, 16>();
    if (count >= 16) return write_rows<first>(words, scales, panel, all);
    float whole[256];
    write_rows<first>(words, scales, whole, all);
    std::memcpy(panel, whole, static_cast<size_t>(count) * 16 * sizeof(float));
  }

  static void panel_of_rows(const PackedWeight& w, int64_t n, int64_t begin, int64_t end, float* panel) {
    float turned[(gemm_depth * bits / 32 + V::lanes - 1) / V::lanes * V::lanes * 16];
    Scales scales;
    turn_words(w, n, begin, end, turned);
    const float* words = turned;
    int64_t group_end = begin;
    const auto write = [&]<int first>(int64_t k) {
      if (k >= end) return;
      if (k >= group_end) {
        scales.read(w, n, k / w.group);
        group_end = (k / w.group + 1) * w.group;
      }
      write_rows<first>(words, scales, panel + (k - begin) * 16, end - k);
    };
    for (int64_t k = begin; k < end; k += 32, words += 16 * bits) {
      write.template operator()<0>(k);
      write.template operator()<16>(k + 16);
    }
  }

  // The scales and zeros of one column, from row to row.
  struct Steps {
    const float *scale, *zero;
    int64_t next_scale, next_zero;

    Steps(const PackedWeight& w, int64_t n, int64_t k, const float* symmetric)
        : scale(w.scales + n * w.groups + k / w.group),
          zero(w.zeros ? w.zeros + n * w.groups + k / w.group : symmetric),
          next_scale(w.groups),
          next_zero(w.zeros ? w.groups : 0) {}

    // Takes codes of the row it stands at, and goes on to the next.
    void write(const Register* row, float* to) {
      const Register minus_zero = V::splat(-*zero), factor = V::splat(*scale);
      for (int j = 0; j < vectors; j++) V::store(to + j * V::lanes, V::mul(V::add(row[j], minus_zero), factor));
      scale += next_scale;
      zero += next_zero;
    }
  };
  static constexpr float symmetric = 1 << (bits - 1);

  // Neighbouring panels at once: a row of the weight has them on one cache line.
  template <int... i>
  static void write_cols(const PackedWeight& w, int64_t k, int64_t begin, int64_t end, float* out,
                         std::integer_sequence<int, i...>) {
    const int64_t row_bytes = w.row_bytes, panel = (end - begin) * 16, ahead = (end - begin) * row_bytes;
    const uint8_t* from = w.row(begin) + k * bits / 8;
    Steps steps[] = {Steps(w, begin, k + i * 16, &symmetric)...};
    for (int64_t n = begin; n < end; n++, out += 16, from += row_bytes) {
      Register rows[sizeof...(i)][vectors];
      V::prefetch(from + ahead);  // of the next panels
      (V::template unpack<bits>(from + i * 2 * bits, rows[i]), ...);
      (steps[i].write(rows[i], out + i * panel), ...);
    }
  }
  // The last columns, where the group is a row of any length.
  static void write_last_cols(const PackedWeight& w, int64_t k, int64_t begin, int64_t end, float* out) {
    Steps steps(w, begin, k, &symmetric);
    for (int64_t n = begin; n < end; n++, out += 16) {
      Register row[vectors];
      codes(w, n, k, row);
      steps.write(row, out);
      for (int64_t i = w.cols - k; i < 16; i++) out[i] = 0;
    }
  }
  static void panels_of_cols(const PackedWeight& w, int64_t k, int64_t panels, int64_t begin, int64_t end, float* out) {
    const int64_t last = k + panels * 16;
    for (; k + 32 <= last && k + 32 <= w.cols; k += 32, out += 32 * (end - begin))
      write_cols(w, k, begin, end, out, std::make_integer_sequence<int, 2>());
    for (; k < last && k + 16 <= w.cols; k += 16, out += 16 * (end - begin))
      write_cols(w, k, begin, end, out, std::make_integer_sequence<int, 1>());
    if (k < last) write_last_cols(w, k, begin, end, out);
  }

  static float dot_codes(const PackedWeight& w, int64_t n, int64_t k, int64_t g, const float* x) {
    Register row[vectors];
    codes(w, n, k, row);
    Register minus_zero = V::splat(-w.zero(n, g)), sum = V::splat(0);
    if (k + 16 > w.cols) {
      float short_x[16] = {};
      std::memcpy(short_x, x, static_cast<size_t>(w.cols - k) * sizeof(float));
      for (int j = 0; j < vectors; j++) sum = V::fma(V::add(row[j], minus_zero), V::load(short_x + j * V::lanes), sum);
    } else {
      for (int j = 0; j < vectors; j++) sum = V::fma(V::add(row[j], minus_zero), V::load(x + j * V::lanes), sum);
    }
    return V::sum(sum);
  }

  // Σ_g scale_g zero_g sums_g: what the zeros take from a row's product.
  static float offset(const PackedWeight& w, int64_t n, const float* sums) {
    const int64_t groups = w.groups;
    const float* scales = w.scales + n * groups;
    Register zero = V::splat(w.zero(n, 0)), total = V::splat(0);
    int64_t g = 0;
    for (; g + V::lanes <= groups; g += V::lanes) {
      if (w.zeros) zero = V::load(w.zeros + n * groups + g);
      total = V::fma(V::mul(V::load(scales + g), zero), V::load(sums + g), total);
    }
    float rest = 0;
    for (; g < groups; g++) rest += scales[g] * w.zero(n, g) * sums[g];
    return V::sum(total) + rest;
  }

  // Rows n..n + R − 1 of the weight, their codes at `codes`, by m rows of a: Σ_g scale_g Σ q a, less the offset. The
  // codes are unpacked once for all of a.
  template <int R, int m>
  static void dot(const PackedWeight& w, const DotInputs& inputs, const uint8_t* codes, int64_t n, float* y) {
    const int64_t groups = w.groups, row_bytes = w.row_bytes, blocks = w.cols / 16, group_blocks = w.group / 16;
    const float* scales = w.scales + n * groups;
    Register total[R][m];
    for (int r = 0; r < R; r++) {
      for (int i = 0; i < m; i++) total[r][i] = V::splat(0);
    }
    for (int64_t g = 0; g < R * groups; g += 16) V::prefetch(scales + R * groups + g);
    const float* a = inputs.placed;
    for (int64_t g = 0; g < groups; g++) {
      Register part[R][m][vectors];
      for (int r = 0; r < R; r++) {
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < vectors; j++) part[r][i][j] = V::splat(0);
        }
      }
      for (int64_t block = 0; block < group_blocks; block++) {
        for (int r = 0; r < R; r++) {
          Register row[vectors];
          V::template place<bits>(codes + r * row_bytes, row);
          // The rows after these, at the same place: too short for the processor to see that they will be read.
          if (block % 4 == 0) V::prefetch(codes + (r + R) * row_bytes);
          for (int i = 0; i < m; i++) {
            for (int j = 0; j < vectors; j++)
              part[r][i][j] = V::fma(row[j], V::load(a + i * blocks * 16 + j * V::lanes), part[r][i][j]);
          }
        }
        codes += 2 * bits;
        a += 16;
      }
      for (int r = 0; r < R; r++) {
        Register scale = V::splat(scales[r * groups + g]);
        for (int i = 0; i < m; i++) {
          for (int j = 1; j < vectors; j++) part[r][i][0] = V::add(part[r][i][0], part[r][i][j]);
          total[r][i] = V::fma(part[r][i][0], scale, total[r][i]);
        }
      }
    }
    for (int r = 0; r < R; r++) {
      for (int i = 0; i < m; i++)
        y[i * w.rows + n + r] = V::sum(total[r][i]) - offset(w, n + r, inputs.sums + i * groups);
    }
    if (blocks * 16 < w.cols) add_rest<R, m>(w, inputs.a, n, y);
  }

  // The last columns, where the group is a row of any length. The zero has been subtracted for them already.
  template <int R, int m>
  static void add_rest(const PackedWeight& w, const float* a, int64_t n, float* y) {
    const int64_t whole = w.cols / 16 * 16;
    for (int r = 0; r < R; r++) {
      Register row[vectors];
      float values[16];
      codes(w, n + r, whole, row);
      for (int j = 0; j < vectors; j++) V::store(values + j * V::lanes, row[j]);
      for (int i = 0; i < m; i++) {
        float sum = 0;
        for (int64_t k = whole; k < w.cols; k++) sum += values[k - whole] * a[i * w.cols + k];
        y[i * w.rows + n + r] += w.scales[n + r] * sum;
      }
    }
  }

  // Several rows at a time, so that there are enough independent sums to hide the latency of the fused multiply-add.
  template <int m>
  static void dot_all(const PackedWeight& w, const DotInputs& inputs, float* y, int64_t begin, int64_t end) {
    constexpr int R = V::dot_sums / m;
    int64_t n = begin;
    for (; n + R <= end && n + R < w.rows; n += R) dot<R, m>(w, inputs, w.row(n), n, y);
    for (; n < end; n++) dot<1, m>(w, inputs, n + 1 < w.rows ? w.row(n) : inputs.last_row, n, y);
  }

  static void dot_rows(const PackedWeight& w, const DotInputs& inputs, float* y, int64_t begin, int64_t end) {
    constexpr decltype(&dot_all<1>) by_count[most_dot_rows] = {dot_all<1>, dot_all<2>, dot_all<3>, dot_all<4>};
    by_count[inputs.m - 1](w, inputs, y, begin, end);
  }

  static constexpr QMatMulKernels kernels = {panel_of_rows, panels_of_cols, dot_rows,
                                             offset,        dot_codes,     V::template placing<bits>};
};

template <typename V>
constexpr QMatMulTable qmatmul_table = {Packed<V, 2>::kernels, Packed<V, 3>::kernels, Packed<V, 4>::kernels,
                                        Packed<V, 8>::kernels};

}  // namespace
}  // namespace halftone
