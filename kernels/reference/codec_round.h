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

// Sixteen ascending levels; the nearest by bisection with the midpoints, the lower one at a tie.
template <class L>
struct Levels {
  const float* levels;
  float half, quarters[2], eighths[8], sixteenths[8];  // the midpoints that the bisection asks for, one step after another
  L lo, hi;

  explicit Levels(const float* table) : levels(table), lo(table[0]), hi(table[15]) {
    const auto middle = [table](int i) { return (table[i] + table[i + 1]) * 0.5f; };
    half = middle(7);
    for (int i = 0; i < 2; i++) quarters[i] = middle(8 * i + 3);
    for (int i = 0; i < 8; i++) eighths[i] = middle(4 * (i & 3) + 1);
    for (int i = 0; i < 8; i++) sixteenths[i] = middle(2 * i);
  }
  L code_of(L v) const {
    auto upper = v > L(half);
    L at = select(upper, L(2), L(0)) + select(v > select(upper, L(quarters[1]), L(quarters[0])), L(1), L(0));
    at = at + at + select(v > lookup8(eighths, at), L(1), L(0));
    return at + at + select(v > lookup8(sixteenths, at), L(1), L(0));
  }
  L level(L v) const { return lookup16(levels, code_of(v)); }
};

}  // namespace
}  // namespace halftone
