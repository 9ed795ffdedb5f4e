// Rounding a scaled weight to a level, and to that level's code.
#pragma once
#include "codec_lanes.h"

namespace halftone {
namespace {

// Adding and taking away 1.5 * 2^23 rounds to the nearest whole number, ties to even, for |v| < 2^22.
template <class L>
inline L round_even(L v) {
  return (v + L(12582912.f)) - L(12582912.f);
}

// Whole numbers from lo to hi, by lane.
template <class L>
struct Whole {
  L lo, hi;
  L first;  // the level of code 0
  L level(L v) const { return round_even(min(max(v, lo), hi)); }
  L code_of(L v) const { return level(v) - first; }
};

// Sixteen ascending levels; the nearest by a search over the midpoints, the lower one at a tie.
template <class L>
struct Levels {
  const float* levels;
  float middle[16];  // middle[i] lies between levels i and i + 1
  L lo, hi;

  explicit Levels(const float* table) : levels(table), lo(table[0]), hi(table[15]) {
    for (int i = 0; i < 15; i++) middle[i] = (table[i] + table[i + 1]) * 0.5f;
    middle[15] = middle[14];
  }
  L code_of(L v) const {
    L at = select(v > L(middle[7]), L(8), L(0));
    at = at + select(v > lookup16(middle, at + L(3)), L(4), L(0));
    at = at + select(v > lookup16(middle, at + L(1)), L(2), L(0));
    return at + select(v > lookup16(middle, at), L(1), L(0));
  }
  L level(L v) const { return lookup16(levels, code_of(v)); }
};

}  // namespace
}  // namespace halftone
