// Fits a super-block: parts with integer scales (and minima) under a common super-scale (and super-minimum).
//   1. each part by itself, with any real scale and minimum (codec_fit_scale.h, codec_fit_affine.h);
//   2. the super-scale whose multiples lie nearest to the parts' scales, distances counted by the curvature of the
//      parts' errors, sum w q^2 (less what a shifted minimum makes good again);
//   3. for each part the neighbouring integers, rounding the weights anew each time: exact errors;
//   4. super-scale and super-minimum by least squares over the whole super-block at the codes found; 3 again.
#pragma once
#include "codec_fit_affine.h"
#include "codec_layout_k.h"

namespace halftone {
namespace {

template <class Format, class L>
struct SuperTile {
  static constexpr int part = Format::block / Format::parts, groups = Format::parts / L::width;
  L x[Format::block / L::width], w[Format::block / L::width];

  Tile<L> group(int g) { return {part, x + g * part, w + g * part}; }

  SuperTile(const Source& source, float factor) {
    float largest[L::width], all = 0;
    for (int g = 0; g < groups; g++) {
      Source sources[L::width];
      for (int lane = 0; lane < L::width; lane++) {
        int first = (g * L::width + lane) * part;
        sources[lane] = {source.x + first, source.importance ? source.importance + first : nullptr, source.sigma2};
      }
      gather<L>(sources, part, factor, group(g)).store(largest);
      for (float one : largest) all = one > all ? one : all;
    }
    for (int g = 0; g < groups; g++) normalize<L>(group(g), L(all));
  }
};

// Adds in an order that does not depend on the width of vectors.
template <int count>
inline float sum_of(const float* values) {
  if constexpr (count == 1) {
    return values[0];
  } else {
    return sum_of<count / 2>(values) + sum_of<count / 2>(values + count / 2);
  }
}

inline float finite_half(float value) { return to_half(Lane(value)).v; }

// The d among max / (end - k * step) that serves wanted[p] ~ d * integer best, integers in [lowest, highest].
template <int parts, class L>
inline float choose_super(const L* wanted, const L* curvature, float lowest, float highest, float extreme, int tries, float step) {
  float best = 0, least = 3e38f;
  for (int k = 0; k < tries; k++) {
    for (float end : {highest, lowest}) {
      if (end == 0) continue;
      float divisor = end > 0 ? end - step * static_cast<float>(k - 2) : end + step * static_cast<float>(k - 2);
      float d = finite_half(extreme / divisor);
      if (d == 0) continue;
      float misses[parts];
      L inverse = L(1 / d);
      for (int g = 0; g < parts / L::width; g++) {
        L integer = round_even(min(max(wanted[g] * inverse, L(lowest)), L(highest)));
        L miss = integer * L(d) - wanted[g];
        (curvature[g] * miss * miss).store(misses + g * L::width);
      }
      float error = sum_of<parts>(misses);
      if (error < least) {
        least = error;
        best = d;
      }
    }
  }
  return best;
}

}  // namespace
}  // namespace halftone
