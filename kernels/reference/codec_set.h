// Sets a block's parameters to the nearest that its format can hold, where each part's wanted step and base are known
// with the curvature of the error around them: E = sum of ss ds^2 + 2 sb ds db + bb db^2 over the parts.
// Used to refit blocks whose codes are fixed, under errors that correlate between weights (simd/gptq.h).
#pragma once
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "codec.h"
#include "codec_fit_super.h"
#include "codec_layout_int.h"
#include "codec_layout_ternary.h"

namespace halftone {
namespace {

inline float curve(const WantedPart& w, float step, float base) {
  float ds = step - w.step, db = base - w.base;
  return w.ss * ds * ds + 2 * w.sb * ds * db + w.bb * db * db;
}

// The best base beside a step that is not quite the wanted one.
inline float base_beside(const WantedPart& w, float step) { return w.bb > 0 ? w.base - w.sb / w.bb * (step - w.step) : w.base; }

inline int nearest_integer(float wanted, float unit, int lowest, int highest) {
  float ratio = unit != 0 ? wanted / unit : 0;
  return static_cast<int>(std::nearbyint(std::min(std::max(ratio, static_cast<float>(lowest)), static_cast<float>(highest))));
}

// One scale of half precision.
template <class Format>
inline void set_scale(const WantedPart* wanted, uint8_t* block) {
  Format::store(block, finite_half(wanted->step));
}

template <class Format>
inline void set_scale_and_offset(const WantedPart* wanted, uint8_t* block) {
  float step = finite_half(wanted->step);
  Format::store(block, step, finite_half(base_beside(*wanted, step)));
}

// A power of two: the better of the two around the wanted scale.
inline void set_power(const WantedPart* wanted, uint8_t* block) {
  float best = 0;
  for (int exponent = 0; exponent < 255; exponent++) {
    float scale = MXFP4::scale(exponent);
    if (exponent == 0 || std::fabs(scale - wanted->step) < std::fabs(best - wanted->step)) best = scale;
  }
  MXFP4::store(block, best);
}

// base = -step * zero for the whole zero that is best with a step of its own.
template <class Format>
inline void set_int(const WantedPart* wanted, uint8_t* block) {
  if constexpr (Format::symmetric) {
    Format::store(block, finite_half(wanted->step), 0);
  } else {
    const WantedPart& w = *wanted;
    float best_step = 0, least = 3e38f;
    int best_zero = 0;
    int middle = nearest_integer(-w.base, w.step, 0, Format::code_max);
    for (int zero = std::max(middle - 2, 0); zero <= std::min(middle + 2, Format::code_max); zero++) {
      float z = static_cast<float>(zero), square = w.ss - 2 * w.sb * z + w.bb * z * z;
      if (!(square > 0)) continue;
      float step = finite_half((w.ss * w.step + w.sb * w.base - z * (w.sb * w.step + w.bb * w.base)) / square);
      float error = curve(w, step, -step * z);
      if (error < least) {
        least = error;
        best_step = step;
        best_zero = zero;
      }
    }
    Format::store(block, best_step, best_zero);
  }
}

// Integer scales (and minima) beside the present ones that are best under s->d and s->dmin; gives the error.
template <class Format>
inline float settle_parts(const WantedPart* wanted, int scale_min, bool minima, SuperBlock* s) {
  float total = 0;
  for (int p = 0; p < Format::parts; p++) {
    int scale = s->scale[p], min = s->min[p];
    float least = 3e38f;
    for (int a = std::max(scale - 1, scale_min); a <= std::min(scale + 1, Format::scale_max); a++) {
      for (int b = minima ? std::max(min - 1, 0) : 0; b <= (minima ? std::min(min + 1, Format::scale_max) : 0); b++) {
        float error = curve(wanted[p], s->d * static_cast<float>(a), minima ? -s->dmin * static_cast<float>(b) : wanted[p].base);
        if (!(error < least)) continue;
        least = error;
        s->scale[p] = a;
        s->min[p] = b;
      }
    }
    total += least;
  }
  return total;
}

template <class Format>
inline void set_super_affine(const WantedPart* wanted, uint8_t* block) {
  constexpr int parts = Format::parts, most = Format::scale_max;
  Lane scales[parts], minima[parts], scale_weights[parts], minimum_weights[parts];
  float widest = 0, deepest = 0;
  for (int p = 0; p < parts; p++) {
    const WantedPart& w = wanted[p];
    scales[p] = std::max(w.step, 0.0f);
    scale_weights[p] = w.bb > 0 ? std::max(w.ss - w.sb * w.sb / w.bb, 0.0f) : w.ss;
    minimum_weights[p] = w.bb;
    widest = std::max(widest, scales[p].v);
  }
  SuperBlock s{choose_super<parts>(scales, scale_weights, 0, most, widest, 16, 0.5f), 0, {}, {}};
  for (int p = 0; p < parts; p++) {
    s.scale[p] = nearest_integer(scales[p].v, s.d, 0, most);
    minima[p] = std::max(-base_beside(wanted[p], s.d * static_cast<float>(s.scale[p])), 0.0f);
    deepest = std::max(deepest, minima[p].v);
  }
  s.dmin = choose_super<parts>(minima, minimum_weights, 0, most, deepest, 16, 0.5f);
  for (int p = 0; p < parts; p++) s.min[p] = nearest_integer(minima[p].v, s.dmin, 0, most);
  float error = settle_parts<Format>(wanted, 0, true, &s);

  double a = 0, b = 0, c = 0, x = 0, y = 0;  // least squares for d and dmin at these integers
  for (int p = 0; p < parts; p++) {
    const WantedPart& w = wanted[p];
    double scale = s.scale[p], min = s.min[p];
    a += scale * scale * w.ss;
    b -= scale * min * w.sb;
    c += min * min * w.bb;
    x += scale * (w.ss * w.step + w.sb * w.base);
    y -= min * (w.sb * w.step + w.bb * w.base);
  }
  double determinant = a * c - b * b;
  if (determinant > 1e-9 * a * c) {
    SuperBlock next = s;
    next.d = finite_half(static_cast<float>((x * c - y * b) / determinant));
    next.dmin = finite_half(static_cast<float>((y * a - x * b) / determinant));
    if (settle_parts<Format>(wanted, 0, true, &next) < error) s = next;
  }
  Format::store(block, s);
}

template <class Format>
inline void set_super_symmetric(const WantedPart* wanted, uint8_t* block) {
  constexpr int parts = Format::parts;
  Lane scales[parts], weights[parts];
  float extreme = 0;
  for (int p = 0; p < parts; p++) {
    scales[p] = wanted[p].step;
    weights[p] = wanted[p].ss;
    if (std::fabs(wanted[p].step) > std::fabs(extreme)) extreme = wanted[p].step;
  }
  SuperBlock s{choose_super<parts>(scales, weights, Format::scale_min, Format::scale_max, extreme, 16, 0.5f), 0, {}, {}};
  for (int p = 0; p < parts; p++) s.scale[p] = nearest_integer(scales[p].v, s.d, Format::scale_min, Format::scale_max);
  float error = settle_parts<Format>(wanted, Format::scale_min, false, &s);
  double square = 0, cross = 0;
  for (int p = 0; p < parts; p++) {
    square += static_cast<double>(s.scale[p]) * s.scale[p] * wanted[p].ss;
    cross += static_cast<double>(s.scale[p]) * wanted[p].step * wanted[p].ss;
  }
  if (square > 0) {
    SuperBlock next = s;
    next.d = finite_half(static_cast<float>(cross / square));
    if (settle_parts<Format>(wanted, Format::scale_min, false, &next) < error) s = next;
  }
  Format::store(block, s);
}

template <class Format>
inline void set_parts(const Codec&, const WantedPart* wanted, uint8_t* block) {
  if constexpr (std::is_same_v<Format, MXFP4>) {
    set_power(wanted, block);
  } else if constexpr (requires { Format::code_max; }) {
    set_int<Format>(wanted, block);
  } else if constexpr (requires { Format::parts; Format::scale_min; }) {
    set_super_symmetric<Format>(wanted, block);
  } else if constexpr (requires { Format::parts; }) {
    set_super_affine<Format>(wanted, block);
  } else if constexpr (requires { Format::store(block, 0.0f, 0.0f); }) {
    set_scale_and_offset<Format>(wanted, block);
  } else {
    set_scale<Format>(wanted, block);
  }
}

}  // namespace
}  // namespace halftone
