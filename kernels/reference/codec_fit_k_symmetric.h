// Q3_K, Q6_K, IQ4_XS: parts with a signed scale and no minimum. The steps are told in codec_fit_super.h.
#pragma once
#include "codec_fit_super.h"

namespace halftone {
namespace {

template <class Format, class L>
struct SymmetricSuper {
  static constexpr int groups = Format::parts / L::width, part = Format::block / Format::parts;
  float d;
  L scale[groups];  // integers
  float error;
};

template <class Format, class L>
inline auto rounding_of() {
  if constexpr (Format::levels != nullptr) {
    return Levels<L>(Format::levels);
  } else {
    const L lowest = L(Format::q_min);
    return Whole<L>{lowest, L(Format::q_max), lowest};
  }
}

template <class Format, class L, class Round>
inline void settle_symmetric(SuperTile<Format, L>& tile, const Round& round, SymmetricSuper<Format, L>* s) {
  constexpr int groups = SymmetricSuper<Format, L>::groups;
  const L lowest = L(Format::scale_min), highest = L(Format::scale_max);
  float errors[Format::parts];
  for (int g = 0; g < groups; g++) {
    L best = L(3e38f), scale = s->scale[g];
    for (int i = -Format::reach; i <= Format::reach; i++) {
      L a = min(max(s->scale[g] + L(static_cast<float>(i)), lowest), highest);
      L error = scale_error(tile.group(g), round, L(s->d) * a);
      auto better = best > error;
      best = select(better, error, best);
      scale = select(better, a, scale);
    }
    s->scale[g] = scale;
    best.store(errors + g * L::width);
  }
  s->error = sum_of<Format::parts>(errors);
}

template <class Format, class L, class Round>
inline void resolve_symmetric(SuperTile<Format, L>& tile, const Round& round, SymmetricSuper<Format, L>* s) {
  constexpr int groups = SymmetricSuper<Format, L>::groups, part = SymmetricSuper<Format, L>::part;
  float squares[Format::parts], crosses[Format::parts];
  for (int g = 0; g < groups; g++) {
    Tile<L> t = tile.group(g);
    L inverse = inverse_of(L(s->d) * s->scale[g]), square = 0, cross = 0;
    for (int j = 0; j < part; j++) {
      L level = round.level(t.x[j] * inverse);
      L weighted = t.w[j] * level;
      square = square + weighted * level;
      cross = cross + weighted * t.x[j];
    }
    (s->scale[g] * s->scale[g] * square).store(squares + g * L::width);
    (s->scale[g] * cross).store(crosses + g * L::width);
  }
  float square = sum_of<Format::parts>(squares);
  if (square > 0) s->d = finite_half(sum_of<Format::parts>(crosses) / square);
}

// The scale of largest magnitude, with its sign.
template <class L>
inline float extreme_of(const L* scales, int groups) {
  float buffer[L::width], extreme = 0;
  for (int g = 0; g < groups; g++) {
    scales[g].store(buffer);
    for (float one : buffer) extreme = std::fabs(one) > std::fabs(extreme) ? one : extreme;
  }
  return extreme;
}

template <class Format, class L, class Round>
inline void nearest_symmetric(SuperTile<Format, L>& tile, const Round& round, SymmetricSuper<Format, L>* s) {
  constexpr int groups = SymmetricSuper<Format, L>::groups;
  const L lowest = L(Format::scale_min), highest = L(Format::scale_max);
  L scales[groups];
  for (int g = 0; g < groups; g++) {
    L positive, negative;
    spanning_scales(tile.group(g), round, &positive, &negative);
    scales[g] = select(-negative > positive, positive, negative);
  }
  s->d = finite_half(extreme_of(scales, groups) / Format::scale_min);
  for (int g = 0; g < groups; g++) s->scale[g] = round_even(min(max(scales[g] * inverse_of(L(s->d)), lowest), highest));
}

template <class Format, class L, class Round>
inline void search_symmetric_super(SuperTile<Format, L>& tile, const Round& round, SymmetricSuper<Format, L>* s) {
  constexpr int groups = SymmetricSuper<Format, L>::groups, part = SymmetricSuper<Format, L>::part;
  const L lowest = L(Format::scale_min), highest = L(Format::scale_max);
  L scales[groups], curvature[groups];
  for (int g = 0; g < groups; g++) {
    Tile<L> t = tile.group(g);
    scales[g] = search_scale(t, round, Format::tries, Format::signs, [](L v) { return v; }).scale;
    L inverse = inverse_of(scales[g]), square = 0;
    for (int j = 0; j < part; j++) {
      L level = round.level(t.x[j] * inverse);
      square = square + t.w[j] * level * level;
    }
    curvature[g] = square;
  }
  s->d = choose_super<Format::parts>(scales, curvature, Format::scale_min, Format::scale_max, extreme_of(scales, groups), Format::super_tries, Format::super_step);
  for (int g = 0; g < groups; g++) s->scale[g] = round_even(min(max(scales[g] * inverse_of(L(s->d)), lowest), highest));
  settle_symmetric(tile, round, s);
  for (int count = 0; count < Format::rounds; count++) {
    SymmetricSuper<Format, L> next = *s;
    resolve_symmetric(tile, round, &next);
    settle_symmetric(tile, round, &next);
    if (!(next.error < s->error)) break;
    *s = next;
  }
}

template <class Format, class L>
inline void fit_symmetric_super(const Source& source, Fit fit, uint8_t* block) {
  constexpr int groups = SymmetricSuper<Format, L>::groups, part = SymmetricSuper<Format, L>::part;
  SuperTile<Format, L> tile(source, fit == Fit::search ? Format::sigma_factor : 0);
  const auto round = rounding_of<Format, L>();
  SymmetricSuper<Format, L> s;
  if (fit == Fit::search) {
    search_symmetric_super(tile, round, &s);
  } else {
    nearest_symmetric(tile, round, &s);
  }
  SuperBlock stored{s.d, 0, {}, {}};
  uint8_t codes[Format::block], lanes[L::width];
  for (int g = 0; g < groups; g++) {
    float scales[L::width];
    s.scale[g].store(scales);
    for (int lane = 0; lane < L::width; lane++) stored.scale[g * L::width + lane] = static_cast<int>(scales[lane]);
    L inverse = inverse_of(L(s.d) * s.scale[g]);
    Tile<L> t = tile.group(g);
    for (int j = 0; j < part; j++) {
      round.code_of(t.x[j] * inverse).store(lanes);
      for (int lane = 0; lane < L::width; lane++) codes[(g * L::width + lane) * part + j] = lanes[lane];
    }
  }
  Format::store(block, stored);
  Format::pack(codes, block);
}

}  // namespace
}  // namespace halftone
