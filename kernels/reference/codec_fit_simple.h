// Fits the formats with one scale a block: a vector holds a weight of each of several blocks. Every recipe fills the
// parameters and the codes of L::width blocks: scale, offset (or zero point, or exponent) and code by lane.
#pragma once
#include "codec.h"
#include "codec_fit_affine.h"
#include "codec_layout_int.h"
#include "codec_layout_ternary.h"

namespace halftone {
namespace {

template <class L>
struct Fitted {
  L scale, offset;
  uint8_t* codes;  // [n][L::width]
  void put(int64_t j, L code) { code.store(codes + j * L::width); }
};

// The weight of largest magnitude, the first of several, with its sign.
template <class L>
inline L extreme(const Tile<L>& tile) {
  L most = 0, value = 0;
  for (int64_t j = 0; j < tile.n; j++) {
    auto further = abs(tile.x[j]) > most;
    most = select(further, abs(tile.x[j]), most);
    value = select(further, tile.x[j], value);
  }
  return value;
}

template <class L>
inline L truncate(L v) {  // of v >= 0
  L rounded = round_even(v);
  return select(rounded > v, rounded - L(1), rounded);
}

// Ties away from zero.
template <class L>
inline L round_away(L v) {
  L size = abs(v), whole = truncate(size);
  whole = whole + truncate((size - whole) + (size - whole));
  return select(v >= L(0), whole, -whole);
}

// Zero only where the scale is zero, as the plain recipes have it.
template <class L>
inline L plain_inverse(L scale) {
  return select(abs(scale) > L(0), L(1) / scale, L(0));
}

// Q4_0, Q5_0: the extreme weight lands on the lowest code.
template <class Format, class L>
inline void nearest_signed(const Tile<L>& tile, Fitted<L>* out) {
  const L most = L(static_cast<float>(Format::q_max - Format::q_min)), half = L(0.5f - static_cast<float>(Format::q_min));
  L scale = extreme(tile) / L(Format::q_min), inverse = plain_inverse(scale);
  for (int64_t j = 0; j < tile.n; j++) out->put(j, min(truncate(max(tile.x[j] * inverse + half, L(0))), most));
  out->scale = to_half(scale);
}

// Q4_1, Q5_1: from the least weight to the greatest.
template <class Format, class L>
inline void nearest_range(const Tile<L>& tile, Fitted<L>* out) {
  const L most = L(Format::q_max);
  L lowest, highest;
  range_of(tile, &lowest, &highest);
  L scale = (highest - lowest) / most, inverse = plain_inverse(scale);
  for (int64_t j = 0; j < tile.n; j++) out->put(j, min(truncate(max((tile.x[j] - lowest) * inverse + L(0.5f), L(0))), most));
  out->scale = to_half(scale);
  out->offset = to_half(lowest);
}

// Q8_0 (127), ternary (1): the largest magnitude is the largest code.
template <class Format, class L>
inline void nearest_magnitude(const Tile<L>& tile, Fitted<L>* out) {
  const L top = L(Format::q_max), lowest = L(Format::q_min);
  L scale = abs(extreme(tile)) / top, inverse = plain_inverse(scale);
  for (int64_t j = 0; j < tile.n; j++) out->put(j, min(max(round_away(tile.x[j] * inverse), -top), top) - lowest);
  out->scale = to_half(scale);
}

template <class L, class Round>
inline void put_codes(const Tile<L>& tile, const Round& round, Fitted<L>* out) {
  L inverse = inverse_of(out->scale);
  for (int64_t j = 0; j < tile.n; j++) out->put(j, round.code_of(tile.x[j] * inverse));
}

template <class Format, class L>
inline void nearest_levels(const Tile<L>& tile, Fitted<L>* out) {
  const Levels<L> round(Format::levels);
  L positive, negative;
  spanning_scales(tile, round, &positive, &negative);
  out->scale = to_half(select(-negative > positive, positive, negative));
  put_codes(tile, round, out);
}

template <class Format, class L>
inline void search_signed(const Tile<L>& tile, Fitted<L>* out) {
  // -128 can be read but is not written: integer kernels of readers negate bytes.
  constexpr int lowest = Format::q_min == -128 ? -127 : Format::q_min;
  const Whole<L> round{L(static_cast<float>(lowest)), L(Format::q_max), L(Format::q_min)};
  out->scale = search_scale(tile, round, Format::tries, Format::signs, [](L v) { return to_half(v); }).scale;
  put_codes(tile, round, out);
}

template <class Format, class L>
inline void search_levels(const Tile<L>& tile, Fitted<L>* out) {
  const Levels<L> round(Format::levels);
  out->scale = search_scale(tile, round, Format::tries, Format::signs, [](L v) { return to_half(v); }).scale;
  put_codes(tile, round, out);
}

template <class Format, class L>
inline void search_range(const Tile<L>& tile, Fitted<L>* out) {
  const L most = L(Format::q_max);
  AffineSums<L> sums;
  auto fit = search_affine(tile, most, Format::tries, [](L v) { return to_half(v); }, &sums);
  out->scale = fit.scale;
  out->offset = fit.offset;
  L inverse = inverse_of(fit.scale);
  for (int64_t j = 0; j < tile.n; j++) out->put(j, affine_code(tile.x[j], fit.offset, inverse, most));
}

}  // namespace
}  // namespace halftone
