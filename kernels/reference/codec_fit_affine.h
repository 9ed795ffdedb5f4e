// Fits a scale and an offset: minimizes sum_j w_j (x_j - s q_j - o)^2 over s, o and q_j in [0, q_max]. Passes as in
// codec_fit_scale.h; the next (s, o) solves the 2 x 2 weighted least squares for the codes found. Several widths and
// positions of the range are tried.
#pragma once
#include "codec_fit_scale.h"

namespace halftone {
namespace {

template <class L>
struct AffineFit {
  L scale, offset, error;
};

// Sums over the weights of a part at some codes q: what least squares needs, and the curvature of the error.
template <class L>
struct AffineSums {
  L w, wx, q, qq, xq;
};

struct AffineTries {
  float first, last;  // width of the range, as fractions of the whole
  int widths;
  int positions;  // of the narrowed range between the two ends; 1: at the lower end
  int refine;
  bool minimum;  // offsets above zero cannot be stored
};

template <class L>
inline L affine_code(L x, L offset, L inverse, L q_max) {
  return round_even(min(max((x - offset) * inverse, L(0)), q_max));
}

template <class L>
inline L affine_error(const Tile<L>& tile, L q_max, L scale, L offset) {
  L inverse = inverse_of(scale), error = 0;
  for (int64_t j = 0; j < tile.n; j++) {
    L rest = tile.x[j] - (scale * affine_code(tile.x[j], offset, inverse, q_max) + offset);
    error = error + tile.w[j] * rest * rest;
  }
  return error;
}

// Rounds at (scale, offset); gives the exact error and the sums.
template <class L>
inline L affine_sums(const Tile<L>& tile, L q_max, L scale, L offset, AffineSums<L>* sums) {
  L inverse = inverse_of(scale), error = 0, sum_q = 0, sum_qq = 0, sum_xq = 0;
  for (int64_t j = 0; j < tile.n; j++) {
    L q = affine_code(tile.x[j], offset, inverse, q_max);
    L weighted = tile.w[j] * q;
    sum_q = sum_q + weighted;
    sum_qq = sum_qq + weighted * q;
    sum_xq = sum_xq + weighted * tile.x[j];
    L rest = tile.x[j] - (scale * q + offset);
    error = error + tile.w[j] * rest * rest;
  }
  sums->q = sum_q;
  sums->qq = sum_qq;
  sums->xq = sum_xq;
  return error;
}

// The best scale and offset for the codes behind the sums; unchanged where all codes are equal.
template <class L>
inline void solve_affine(const AffineSums<L>& s, bool minimum, L* scale, L* offset) {
  L determinant = s.w * s.qq - s.q * s.q;
  L slope = (s.w * s.xq - s.wx * s.q) / determinant;
  L shift = (s.qq * s.wx - s.q * s.xq) / determinant;
  auto solvable = determinant > L(0);
  slope = select(solvable, slope, *scale);
  shift = select(solvable, shift, *offset);
  if (minimum) {
    auto above = shift > L(0);
    slope = select(above, select(s.qq > L(0), s.xq / s.qq, slope), slope);
    shift = min(shift, L(0));
  }
  *scale = slope;
  *offset = shift;
}

template <class L>
inline void range_of(const Tile<L>& tile, L* lowest, L* highest) {
  *lowest = tile.x[0];
  *highest = tile.x[0];
  for (int64_t j = 1; j < tile.n; j++) {
    *lowest = min(tile.x[j], *lowest);
    *highest = max(tile.x[j], *highest);
  }
}

// `sums` receives those of the best fit.
template <class L, class Stored>
inline AffineFit<L> search_affine(const Tile<L>& tile, L q_max, const AffineTries& tries, Stored stored, AffineSums<L>* sums) {
  L lowest, highest;
  range_of(tile, &lowest, &highest);
  if (tries.minimum) lowest = min(lowest, L(0));
  L span = highest - lowest;
  AffineSums<L> now{0, 0, 0, 0, 0};
  for (int64_t j = 0; j < tile.n; j++) {
    now.w = now.w + tile.w[j];
    now.wx = now.wx + tile.w[j] * tile.x[j];
  }
  AffineFit<L> best{L(0), L(0), L(3e38f)};
  *sums = now;
  for (int width = 0; width < tries.widths; width++) {
    float share = tries.first + (tries.last - tries.first) * static_cast<float>(width) / static_cast<float>(tries.widths - 1);
    for (int position = 0; position < tries.positions; position++) {
      float place = tries.positions > 1 ? static_cast<float>(position) / static_cast<float>(tries.positions - 1) : 0;
      L scale = span * L(share) / q_max;
      L offset = lowest + span * L((1 - share) * place);
      if (tries.minimum) offset = min(offset, L(0));
      for (int pass = 0; pass <= tries.refine; pass++) {
        scale = stored(scale);
        offset = stored(offset);
        L error = affine_sums(tile, q_max, scale, offset, &now);
        auto better = best.error > error;
        best.error = select(better, error, best.error);
        best.scale = select(better, scale, best.scale);
        best.offset = select(better, offset, best.offset);
        sums->q = select(better, now.q, sums->q);
        sums->qq = select(better, now.qq, sums->qq);
        sums->xq = select(better, now.xq, sums->xq);
        solve_affine(now, tries.minimum, &scale, &offset);
      }
    }
  }
  sums->w = now.w;
  sums->wx = now.wx;
  return best;
}

}  // namespace
}  // namespace halftone
