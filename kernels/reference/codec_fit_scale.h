// Fits one scale: minimizes E(s) = sum_j w_j (x_j - s * level(x_j / s))^2 over s. E has many local minima, so several
// scales around the one that spans the weights are tried; each pass rounds at s, measures E(s) exactly, and gives the
// least-squares scale of the levels it found, sum w x l / sum w l^2, from which the next pass goes on.
#pragma once
#include "codec_round.h"
#include "codec_tile.h"

namespace halftone {
namespace {

template <class L>
struct ScaleFit {
  L scale, error;
};

// The range of scales to try, as fractions of the one at which nothing is clipped, and how often each is refined.
struct ScaleTries {
  float first, last;
  int count, refine;
};

enum class Signs {
  positive,
  closer,  // the one that spans the weights with the smaller steps
  both,
};

template <class L>
inline L inverse_of(L scale) {
  return select(abs(scale) > L(1e-30f), L(1) / scale, L(0));
}

template <class L, class Round>
inline L scale_error(const Tile<L>& tile, const Round& round, L scale) {
  L inverse = inverse_of(scale), error = 0;
  for (int64_t j = 0; j < tile.n; j++) {
    L rest = tile.x[j] - scale * round.level(tile.x[j] * inverse);
    error = error + tile.w[j] * rest * rest;
  }
  return error;
}

// One pass at best->scale candidates: keeps the scale if it is better, gives the least-squares scale for the next.
template <class L, class Round>
inline L scale_pass(const Tile<L>& tile, const Round& round, L scale, ScaleFit<L>* best) {
  L inverse = inverse_of(scale), error = 0, cross = 0, square = 0;
  for (int64_t j = 0; j < tile.n; j++) {
    L level = round.level(tile.x[j] * inverse);
    L weighted = tile.w[j] * level;
    cross = cross + weighted * tile.x[j];
    square = square + weighted * level;
    L rest = tile.x[j] - scale * level;
    error = error + tile.w[j] * rest * rest;
  }
  auto better = best->error > error;
  best->scale = select(better, scale, best->scale);
  best->error = select(better, error, best->error);
  return select(square > L(0), cross / square, scale);
}

// The smallest scales of either sign at which no weight is clipped.
template <class L, class Round>
inline void spanning_scales(const Tile<L>& tile, const Round& round, L* positive, L* negative) {
  L highest = 0, lowest = 0;
  for (int64_t j = 0; j < tile.n; j++) {
    highest = max(tile.x[j], highest);
    lowest = min(tile.x[j], lowest);
  }
  // A side without levels says nothing about the scale: its weights become zero at any.
  L above = select(round.hi > L(0), round.hi, L(1e30f)), below = select(-round.lo > L(0), -round.lo, L(1e30f));
  *positive = max(highest / above, -lowest / below);
  *negative = -max(highest / below, -lowest / above);
}

// stored: rounds a scale to what the block can hold.
template <class L, class Round, class Stored>
inline ScaleFit<L> search_scale(const Tile<L>& tile, const Round& round, const ScaleTries& tries, Signs signs, Stored stored) {
  L spans[2];
  spanning_scales(tile, round, &spans[0], &spans[1]);
  if (signs == Signs::closer) spans[0] = select(-spans[1] > spans[0], spans[0], spans[1]);
  ScaleFit<L> best{stored(spans[0]), L(3e38f)};
  for (int sign = 0; sign < (signs == Signs::both ? 2 : 1); sign++) {
    for (int k = 0; k < tries.count; k++) {
      float share = tries.first + (tries.last - tries.first) * static_cast<float>(k) / static_cast<float>(tries.count - 1);
      L scale = spans[sign] * L(share);
      for (int pass = 0; pass <= tries.refine; pass++) scale = scale_pass(tile, round, stored(scale), &best);
    }
  }
  return best;
}

}  // namespace
}  // namespace halftone
