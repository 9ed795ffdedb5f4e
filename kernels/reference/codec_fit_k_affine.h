// Q2_K, Q4_K, Q5_K: parts with scale and minimum. The steps are told in codec_fit_super.h.
#pragma once
#include "codec_fit_super.h"

namespace halftone {
namespace {

template <class Format, class L>
struct AffineSuper {
  static constexpr int groups = Format::parts / L::width, part = Format::block / Format::parts;
  float d, dmin;
  L scale[groups], minimum[groups];  // integers
  float error;
};

// The neighbouring integers of every part, exactly; starts from s->scale and s->min.
template <class Format, class L>
inline void settle_affine(SuperTile<Format, L>& tile, AffineSuper<Format, L>* s) {
  constexpr int groups = AffineSuper<Format, L>::groups;
  const L most = L(Format::scale_max);
  float errors[Format::parts];
  for (int g = 0; g < groups; g++) {
    L best = L(3e38f), scale = s->scale[g], minimum = s->minimum[g];
    for (int i = -1; i <= 1; i++) {
      for (int j = -1; j <= 1; j++) {
        L a = min(max(s->scale[g] + L(static_cast<float>(i)), L(0)), most);
        L b = min(max(s->minimum[g] + L(static_cast<float>(j)), L(0)), most);
        L error = affine_error(tile.group(g), L(Format::q_max), L(s->d) * a, -(L(s->dmin) * b));
        auto better = best > error;
        best = select(better, error, best);
        scale = select(better, a, scale);
        minimum = select(better, b, minimum);
      }
    }
    s->scale[g] = scale;
    s->minimum[g] = minimum;
    best.store(errors + g * L::width);
  }
  s->error = sum_of<Format::parts>(errors);
}

// d and dmin by least squares over all parts, at the codes that the present ones give.
template <class Format, class L>
inline void resolve_affine(SuperTile<Format, L>& tile, AffineSuper<Format, L>* s) {
  constexpr int parts = Format::parts, groups = AffineSuper<Format, L>::groups, part = AffineSuper<Format, L>::part;
  float scale_scale[parts], scale_min[parts], min_min[parts], scale_x[parts], min_x[parts];
  for (int g = 0; g < groups; g++) {
    Tile<L> t = tile.group(g);
    AffineSums<L> sums;
    affine_sums(t, L(Format::q_max), L(s->d) * s->scale[g], -(L(s->dmin) * s->minimum[g]), &sums);
    L w = 0, wx = 0;
    for (int j = 0; j < part; j++) {
      w = w + t.w[j];
      wx = wx + t.w[j] * t.x[j];
    }
    (s->scale[g] * s->scale[g] * sums.qq).store(scale_scale + g * L::width);
    (s->scale[g] * s->minimum[g] * sums.q).store(scale_min + g * L::width);
    (s->minimum[g] * s->minimum[g] * w).store(min_min + g * L::width);
    (s->scale[g] * sums.xq).store(scale_x + g * L::width);
    (s->minimum[g] * wx).store(min_x + g * L::width);
  }
  double a = sum_of<parts>(scale_scale), b = sum_of<parts>(scale_min), c = sum_of<parts>(min_min);
  double x = sum_of<parts>(scale_x), y = sum_of<parts>(min_x);
  double determinant = a * c - b * b;
  if (determinant > 1e-9 * a * c) {
    s->d = finite_half(static_cast<float>((x * c - y * b) / determinant));
    s->dmin = finite_half(static_cast<float>((x * b - y * a) / determinant));
  } else if (a > 0) {
    s->d = finite_half(static_cast<float>(x / a));
  }
}

template <class Format, class L>
inline void nearest_affine(SuperTile<Format, L>& tile, AffineSuper<Format, L>* s) {
  constexpr int groups = AffineSuper<Format, L>::groups;
  const float most = Format::scale_max;
  L scales[groups], minima[groups];
  float buffer[L::width], scale_max = 0, min_max = 0;
  for (int g = 0; g < groups; g++) {
    L lowest, highest;
    range_of(tile.group(g), &lowest, &highest);
    lowest = min(lowest, L(0));
    scales[g] = (max(highest, lowest) - lowest) / L(Format::q_max);
    minima[g] = -lowest;
    scales[g].store(buffer);
    for (float one : buffer) scale_max = one > scale_max ? one : scale_max;
    minima[g].store(buffer);
    for (float one : buffer) min_max = one > min_max ? one : min_max;
  }
  s->d = finite_half(scale_max / most);
  s->dmin = finite_half(min_max / most);
  for (int g = 0; g < groups; g++) {
    s->scale[g] = round_even(min(scales[g] * inverse_of(L(s->d)), L(most)));
    s->minimum[g] = round_even(min(minima[g] * inverse_of(L(s->dmin)), L(most)));
  }
}

template <class Format, class L>
inline void search_affine_super(SuperTile<Format, L>& tile, AffineSuper<Format, L>* s) {
  constexpr int groups = AffineSuper<Format, L>::groups;
  const float most = Format::scale_max;
  L scales[groups], minima[groups], curvature[groups], weights[groups];
  AffineSums<L> sums[groups];
  float buffer[L::width], scale_max = 0, min_max = 0;
  for (int g = 0; g < groups; g++) {
    auto fit = search_affine(tile.group(g), L(Format::q_max), Format::tries, [](L v) { return v; }, &sums[g]);
    scales[g] = max(fit.scale, L(0));
    minima[g] = -fit.offset;
    curvature[g] = max(sums[g].qq - sums[g].q * sums[g].q / sums[g].w, L(0));
    weights[g] = sums[g].w;
    scales[g].store(buffer);
    for (float one : buffer) scale_max = one > scale_max ? one : scale_max;
  }
  s->d = choose_super<Format::parts>(scales, curvature, 0, most, scale_max, 16, Format::super_step);
  for (int g = 0; g < groups; g++) {
    s->scale[g] = round_even(min(scales[g] * inverse_of(L(s->d)), L(most)));
    L moved = s->scale[g] * L(s->d) - scales[g];
    minima[g] = max(minima[g] + sums[g].q / sums[g].w * moved, L(0));
    minima[g].store(buffer);
    for (float one : buffer) min_max = one > min_max ? one : min_max;
  }
  s->dmin = choose_super<Format::parts>(minima, weights, 0, most, min_max, 16, Format::super_step);
  for (int g = 0; g < groups; g++) s->minimum[g] = round_even(min(minima[g] * inverse_of(L(s->dmin)), L(most)));
  settle_affine(tile, s);
  for (int round = 0; round < Format::rounds; round++) {
    AffineSuper<Format, L> next = *s;
    resolve_affine(tile, &next);
    settle_affine(tile, &next);
    if (!(next.error < s->error)) break;
    *s = next;
  }
}

template <class Format, class L>
inline void fit_affine_super(const Source& source, Fit fit, uint8_t* block) {
  constexpr int groups = AffineSuper<Format, L>::groups, part = AffineSuper<Format, L>::part;
  SuperTile<Format, L> tile(source, fit == Fit::search ? Format::sigma_factor : 0);
  AffineSuper<Format, L> s;
  if (fit == Fit::search) {
    search_affine_super(tile, &s);
  } else {
    nearest_affine(tile, &s);
  }
  SuperBlock stored{s.d, s.dmin, {}, {}};
  uint8_t codes[Format::block], lanes[L::width];
  for (int g = 0; g < groups; g++) {
    s.scale[g].store(lanes);
    for (int lane = 0; lane < L::width; lane++) stored.scale[g * L::width + lane] = lanes[lane];
    s.minimum[g].store(lanes);
    for (int lane = 0; lane < L::width; lane++) stored.min[g * L::width + lane] = lanes[lane];
    L step = L(s.d) * s.scale[g], offset = -(L(s.dmin) * s.minimum[g]), inverse = inverse_of(step);
    Tile<L> t = tile.group(g);
    for (int j = 0; j < part; j++) {
      affine_code(t.x[j], offset, inverse, L(Format::q_max)).store(lanes);
      for (int lane = 0; lane < L::width; lane++) codes[(g * L::width + lane) * part + j] = lanes[lane];
    }
  }
  Format::store(block, stored);
  Format::pack(codes, block);
}

}  // namespace
}  // namespace halftone
