// Fits the group-wise integers. With a stored zero point z the levels are the whole numbers of [-z, 2^bits - 1 - z]:
// a scale is searched for every zero point near the one that the range of the weights asks for.
#pragma once
#include "codec_fit_simple.h"

namespace halftone {
namespace {

// Largest distance of a zero point tried from the range's own.
constexpr int zero_reach(int bits) { return bits == 2 ? 3 : bits == 3 ? 2 : 1; }

template <class Format, class L>
inline Whole<L> whole_from(L zero) {
  return {-zero, L(Format::code_max) - zero, -zero};
}

// lowest <= 0 <= highest
template <class L>
inline void range_with_zero(const Tile<L>& tile, L* lowest, L* highest) {
  range_of(tile, lowest, highest);
  *lowest = min(*lowest, L(0));
  *highest = max(*highest, L(0));
}

template <class Format, class L>
inline void nearest_int(const Tile<L>& tile, Fitted<L>* out) {
  const L code_max = L(Format::code_max);
  if constexpr (Format::symmetric) {
    out->offset = L(static_cast<float>((Format::code_max + 1) / 2));
    out->scale = to_half(-extreme(tile) / out->offset);
  } else {
    L lowest, highest;
    range_with_zero(tile, &lowest, &highest);
    out->scale = to_half((highest - lowest) / code_max);
    out->offset = round_even(min(max(-lowest * inverse_of(out->scale), L(0)), code_max));
  }
  put_codes(tile, whole_from<Format, L>(out->offset), out);
}

template <class Format, class L>
inline void search_int(const Tile<L>& tile, Fitted<L>* out) {
  const auto stored = [](L v) { return to_half(v); };
  if constexpr (Format::symmetric) {
    out->offset = L(static_cast<float>((Format::code_max + 1) / 2));
    out->scale = search_scale(tile, whole_from<Format, L>(out->offset), Format::tries, Format::signs, stored).scale;
  } else {
    const L code_max = L(Format::code_max);
    constexpr int reach = zero_reach(Format::bits);
    L lowest, highest, least = L(3e38f);
    range_with_zero(tile, &lowest, &highest);
    L middle = round_even(-lowest * inverse_of(highest - lowest) * code_max);
    for (int step = -reach; step <= reach; step++) {
      L zero = min(max(middle + L(static_cast<float>(step)), L(0)), code_max);
      auto fit = search_scale(tile, whole_from<Format, L>(zero), Format::tries, Signs::positive, stored);
      auto better = least > fit.error;
      least = select(better, fit.error, least);
      out->scale = select(better, fit.scale, out->scale);
      out->offset = select(better, zero, out->offset);
    }
  }
  put_codes(tile, whole_from<Format, L>(out->offset), out);
}

}  // namespace
}  // namespace halftone
