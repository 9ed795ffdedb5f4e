// The inner loops of GPTQ on a tile: some columns of sixteen rows, stored column by column, so that a vector holds the
// same column of several rows. Written once over the vector types of reference/codec_lanes.h; no fused operations, so
// every instruction set gives the same codes from the same inputs.
#pragma once
#include <cstdint>

#include "../reference/codec_round.h"

namespace halftone {

constexpr int tile_lanes = 16;  // rows

// Every array is [columns or parts][tile_lanes].
struct GptqTile {
  int64_t n;        // columns
  float* values;    // what the codes stand for
  float* levels;    // value = step * level + offset
  float* gradient;  // (w - values) S for the metric S at hand
  int64_t part;     // columns that share the parameters below
  float *step, *inverse, *offset, *low, *high;
  const float* table;  // of levels, or nullptr for whole numbers in [low, high]
};

// Sums over a part for least squares: levels q, ones 1, gradient g.
struct PartSums {
  float qq[tile_lanes], q1[tile_lanes], gq[tile_lanes], g1[tile_lanes];
};

struct GptqKernels {
  // Rounds columns [begin, end) of `work` [n] one by one; the error of column j over u_jj, kept in errors[j], is taken
  // times u_jk from every later column k. Rows of u are `stride` apart.
  void (*feedback)(const GptqTile&, int64_t begin, int64_t end, const float* u, int64_t stride, float* work, float* errors);
  // Rounds every column of x [n] by itself.
  void (*round)(const GptqTile&, const float* x);
  // errors = delta U^-1, by the same steps; `delta` [n] is used up.
  void (*errors_of)(int64_t n, const float* u, int64_t stride, float* delta, float* errors);
  // gradient -= delta S, for the rows [begin, begin + count) of S [n, n] that `delta` [count] belongs to.
  void (*shift)(const GptqTile&, int64_t begin, int64_t count, const float* s, const float* delta);
  // Passes of coordinate descent: each column in turn takes the value nearest to the best one given all others.
  void (*descend)(const GptqTile&, const float* s, int passes);
  void (*sum_part)(const GptqTile&, int64_t part, const float* s, PartSums*);
  // levels -> values under the tile's parameters, and the change of the values.
  void (*revalue)(const GptqTile&, float* change);
};

const GptqKernels& gptq_kernels_scalar();
const GptqKernels& gptq_kernels_avx2();
const GptqKernels& gptq_kernels_avx512();
const GptqKernels& gptq_kernels_neon();

namespace {

template <class L>
struct Vectors {
  static constexpr int count = tile_lanes / L::width;
  L v[count];

  Vectors() = default;
  explicit Vectors(const float* from) {
    for (int i = 0; i < count; i++) v[i] = L::load(from + i * L::width);
  }
  void store(float* to) const {
    for (int i = 0; i < count; i++) v[i].store(to + i * L::width);
  }
};

template <class L>
struct Nearest {
  const float* table;
  Levels<L> levels;

  explicit Nearest(const float* levels_table) : table(levels_table), levels(levels_table ? levels_table : no_table) {}
  L level(L x, L low, L high) const { return table ? levels.level(x) : round_even(min(max(x, low), high)); }

 private:
  static constexpr float no_table[16] = {};
};

// Rounds x of column j to a level.
template <class L>
inline void round_column(const GptqTile& tile, const Nearest<L>& nearest, int64_t j, const Vectors<L>& x, Vectors<L>* level, Vectors<L>* value) {
  const int64_t p = j / tile.part * tile_lanes;
  const Vectors<L> step(tile.step + p), inverse(tile.inverse + p), offset(tile.offset + p), low(tile.low + p), high(tile.high + p);
  for (int i = 0; i < Vectors<L>::count; i++) {
    level->v[i] = nearest.level((x.v[i] - offset.v[i]) * inverse.v[i], low.v[i], high.v[i]);
    value->v[i] = step.v[i] * level->v[i] + offset.v[i];
  }
}

// rows[k] -= row[k] * amount for k in [begin, end).
template <class L>
inline void take(float* rows, const float* row, const Vectors<L>& amount, int64_t begin, int64_t end) {
  for (int64_t k = begin; k < end; k++) {
    const L factor(row[k]);
    float* at = rows + k * tile_lanes;
    for (int i = 0; i < Vectors<L>::count; i++) (L::load(at + i * L::width) - factor * amount.v[i]).store(at + i * L::width);
  }
}

template <class L>
inline bool moves(L change) {
  float lanes[L::width];
  change.store(lanes);
  bool any = false;
  for (float one : lanes) any |= one != 0;
  return any;
}

template <class L>
void feedback(const GptqTile& tile, int64_t begin, int64_t end, const float* u, int64_t stride, float* work, float* errors) {
  const Nearest<L> nearest(tile.table);
  for (int64_t j = begin; j < end; j++) {
    const Vectors<L> x(work + j * tile_lanes);
    Vectors<L> level, value, error;
    round_column(tile, nearest, j, x, &level, &value);
    const L pivot(u[j * stride + j]);
    for (int i = 0; i < Vectors<L>::count; i++) error.v[i] = (x.v[i] - value.v[i]) / pivot;
    level.store(tile.levels + j * tile_lanes);
    value.store(tile.values + j * tile_lanes);
    error.store(errors + j * tile_lanes);
    take(work, u + j * stride, error, j + 1, tile.n);
  }
}

template <class L>
void round(const GptqTile& tile, const float* x) {
  const Nearest<L> nearest(tile.table);
  for (int64_t j = 0; j < tile.n; j++) {
    Vectors<L> level, value;
    round_column(tile, nearest, j, Vectors<L>(x + j * tile_lanes), &level, &value);
    level.store(tile.levels + j * tile_lanes);
    value.store(tile.values + j * tile_lanes);
  }
}

template <class L>
void errors_of(int64_t n, const float* u, int64_t stride, float* delta, float* errors) {
  for (int64_t j = 0; j < n; j++) {
    Vectors<L> error(delta + j * tile_lanes);
    const L pivot(u[j * stride + j]);
    for (L& one : error.v) one = one / pivot;
    error.store(errors + j * tile_lanes);
    take(delta, u + j * stride, error, j + 1, n);
  }
}

template <class L>
void shift(const GptqTile& tile, int64_t begin, int64_t count, const float* s, const float* delta) {
  for (int64_t j = 0; j < count; j++) take(tile.gradient, s + (begin + j) * tile.n, Vectors<L>(delta + j * tile_lanes), 0, tile.n);
}

template <class L>
void descend(const GptqTile& tile, const float* s, int passes) {
  const Nearest<L> nearest(tile.table);
  for (int pass = 0; pass < passes; pass++) {
    bool any = false;
    for (int64_t j = 0; j < tile.n; j++) {
      const Vectors<L> before(tile.values + j * tile_lanes), gradient(tile.gradient + j * tile_lanes);
      const L inverse(1 / s[j * tile.n + j]);
      Vectors<L> x, level, value;
      for (int i = 0; i < Vectors<L>::count; i++) x.v[i] = before.v[i] + gradient.v[i] * inverse;
      round_column(tile, nearest, j, x, &level, &value);
      for (int i = 0; i < Vectors<L>::count; i++) {
        const L change = value.v[i] - before.v[i];
        if (!moves(change)) continue;
        any = true;
        const int64_t at = j * tile_lanes + i * L::width;
        level.v[i].store(tile.levels + at);
        value.v[i].store(tile.values + at);
        const float* row = s + j * tile.n;
        float* gradients = tile.gradient + i * L::width;
        for (int64_t k = 0; k < tile.n; k++) {
          float* to = gradients + k * tile_lanes;
          (L::load(to) - L(row[k]) * change).store(to);
        }
      }
    }
    if (!any) return;
  }
}

template <class L>
void sum_part(const GptqTile& tile, int64_t part, const float* s, PartSums* sums) {
  Vectors<L> qq, q1, gq, g1;
  for (int i = 0; i < Vectors<L>::count; i++) qq.v[i] = q1.v[i] = gq.v[i] = g1.v[i] = L(0);
  const int64_t first = part * tile.part, last = first + tile.part;
  for (int64_t j = first; j < last; j++) {
    Vectors<L> product;
    for (L& one : product.v) one = L(0);
    for (int64_t k = first; k < last; k++) {
      const L factor(s[j * tile.n + k]);
      const Vectors<L> level(tile.levels + k * tile_lanes);
      for (int i = 0; i < Vectors<L>::count; i++) product.v[i] = product.v[i] + factor * level.v[i];
    }
    const Vectors<L> level(tile.levels + j * tile_lanes), gradient(tile.gradient + j * tile_lanes);
    for (int i = 0; i < Vectors<L>::count; i++) {
      qq.v[i] = qq.v[i] + level.v[i] * product.v[i];
      q1.v[i] = q1.v[i] + product.v[i];
      gq.v[i] = gq.v[i] + level.v[i] * gradient.v[i];
      g1.v[i] = g1.v[i] + gradient.v[i];
    }
  }
  qq.store(sums->qq);
  q1.store(sums->q1);
  gq.store(sums->gq);
  g1.store(sums->g1);
}

template <class L>
void revalue(const GptqTile& tile, float* change) {
  for (int64_t j = 0; j < tile.n; j++) {
    const int64_t p = j / tile.part * tile_lanes;
    const Vectors<L> step(tile.step + p), offset(tile.offset + p), level(tile.levels + j * tile_lanes), before(tile.values + j * tile_lanes);
    for (int i = 0; i < Vectors<L>::count; i++) {
      L value = step.v[i] * level.v[i] + offset.v[i];
      value.store(tile.values + j * tile_lanes + i * L::width);
      (value - before.v[i]).store(change + j * tile_lanes + i * L::width);
    }
  }
}

template <class L>
inline constexpr GptqKernels kernels_over{feedback<L>, round<L>, errors_of<L>, shift<L>, descend<L>, sum_part<L>, revalue<L>};

}  // namespace
}  // namespace halftone
