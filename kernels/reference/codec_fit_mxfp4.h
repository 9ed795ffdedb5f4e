// Fits MXFP4: a power of two for 32 weights. The plain recipe takes the power that brings the largest magnitude to
// [8, 16), where 12 is the largest level; the search also tries the powers beside it.
#pragma once
#include "codec_fit_simple.h"

namespace halftone {
namespace {

// Rounds the magnitude (the smaller at a tie), then puts the sign back.
template <class L>
struct Signed4 {
  L code_of(L v) const {
    static constexpr float middle[16] = {-7, -7, -7, -7, -7, -7, -7, .5f, 1.5f, 2.5f, 3.5f, 5, 7, 10, 3e38f, 3e38f};
    L size = abs(v);
    L at = select(size > L(middle[7]), L(8), L(7));
    for (int i = 8; i < 14; i++) at = at + select(size > L(middle[i]), L(1), L(0));
    return select(v >= L(0), at, L(14) - at);
  }
  L level(L v) const { return lookup16(MXFP4::levels, code_of(v)); }
};

// The scale of the plain recipe by its stored exponent, `step` powers away.
template <class L>
inline L power_scale(L largest, int step) {
  float values[L::width];
  largest.store(values);
  for (float& value : values) {
    int exponent = static_cast<int>(std::bit_cast<uint32_t>(value) >> 23) - 2 + step;
    value = MXFP4::scale(value > 0 ? exponent < 0 ? 0 : exponent > 254 ? 254 : exponent : 0);
  }
  return L::load(values);
}

template <class L>
inline void put_powers(const Tile<L>& tile, L scale, Fitted<L>* out) {
  const Signed4<L> round;
  out->scale = scale;
  L inverse = plain_inverse(scale);
  for (int64_t j = 0; j < tile.n; j++) out->put(j, round.code_of(tile.x[j] * inverse));
}

template <class Format, class L>
inline void nearest_power(const Tile<L>& tile, Fitted<L>* out) {
  put_powers(tile, power_scale(abs(extreme(tile)), 0), out);
}

template <class Format, class L>
inline void search_power(const Tile<L>& tile, Fitted<L>* out) {
  const Signed4<L> round;
  L largest = abs(extreme(tile)), best = power_scale(largest, 0), least = L(3e38f);
  for (int step : {0, -1, 1, -2}) {
    L scale = power_scale(largest, step);
    L error = scale_error(tile, round, scale);
    auto better = least > error;
    least = select(better, error, least);
    best = select(better, scale, best);
  }
  put_powers(tile, best, out);
}

}  // namespace
}  // namespace halftone
