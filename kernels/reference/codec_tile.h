// The weights that a fit works on, turned so that a vector holds one weight of each of several parts: a fit is then
// written as if for one part, and its sums run over the weights of each part in order, whatever the width.
#pragma once
#include "codec_lanes.h"

namespace halftone {
namespace {

// Larger than any block holds (65504 * 127 * 127 in Q6_K), and small enough that sums of squares stay finite.
constexpr float weight_limit = 1e9f;

template <class L>
struct Tile {
  int64_t n;
  L* x;  // [n]
  L* w;  // [n] what an error at x counts
};

// Where the weights of one part come from.
struct Source {
  const float* x;
  const float* importance;  // or nullptr
  float sigma2;
};

// importance * sqrt(factor * sigma2 + x^2); the importance alone if factor is 0.
template <class L>
inline L importance_at(L x, L importance, L sigma2, float factor) {
  importance = select(importance > L(0), importance, L(0));
  return factor > 0 ? importance * sqrt(L(factor) * sigma2 + x * x) : importance;
}

// Fills the tile from L::width sources. NaN becomes 0, infinity the limit. Gives the largest w of each lane.
template <class L>
inline L gather(const Source* sources, int64_t n, float factor, const Tile<L>& tile) {
  float x[L::width], importance[L::width], sigma2[L::width];
  for (int lane = 0; lane < L::width; lane++) {
    float given = sources[lane].sigma2;
    sigma2[lane] = given > 0 && given < weight_limit ? given : 0;
    importance[lane] = 1;
  }
  L largest = 0;
  for (int64_t j = 0; j < n; j++) {
    for (int lane = 0; lane < L::width; lane++) {
      x[lane] = sources[lane].x[j];
      if (sources[lane].importance) importance[lane] = sources[lane].importance[j];
    }
    L value = L::load(x);
    value = select(abs(value) >= L(0), value, L(0));
    value = max(min(value, L(weight_limit)), L(-weight_limit));
    L weight = importance_at<L>(value, L::load(importance), L::load(sigma2), factor);
    tile.x[j] = value;
    tile.w[j] = weight;
    largest = max(weight, largest);
  }
  return largest;
}

// Divides w by its largest value, so that sums neither overflow nor vanish; where nothing counts, everything counts alike.
template <class L>
inline void normalize(const Tile<L>& tile, L largest) {
  L inverse = L(1) / largest;
  auto usable = largest > L(1e-35f);
  auto finite = L(1e35f) > largest;
  for (int64_t j = 0; j < tile.n; j++) {
    L scaled = tile.w[j] * inverse;
    tile.w[j] = select(usable, select(finite, scaled, L(1)), L(1));
  }
}

}  // namespace
}  // namespace halftone
