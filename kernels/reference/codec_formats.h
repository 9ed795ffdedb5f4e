// Every format with the constants of its search, and the table of their functions for one width of
// vectors. Adding a format: a layout, its constants and a row here, a row in codecs.cc.
#pragma once
#include <memory>

#include "codec_fit_int.h"
#include "codec_fit_k_affine.h"
#include "codec_fit_k_symmetric.h"
#include "codec_fit_mxfp4.h"
#include "codecs.h"

namespace halftone {
namespace {

// ---- constants of the searches
// Measured on a language model's weights with its importance: the widest and narrowest range worth trying, and as few
// tries as come within about 1 % of many. A larger step than the one that spans the weights often fits them better by
// chance, the more so the finer the format; few bits gain by clipping. Counting errors as importance * sqrt(sigma^2 + x^2)
// rather than by importance alone gives a lower divergence of the whole model at every width up to 4 bits.

template <class Layout, int sigma>
struct Weighed : Layout {
  static constexpr float sigma_factor = sigma;
};
struct Fit_Q4_0 : Weighed<Q4_0, 1> {
  static constexpr ScaleTries tries{1.2f, 0.7f, 16, 1};
  static constexpr Signs signs = Signs::both;
};
struct Fit_Q4_1 : Weighed<Q4_1, 1> {
  static constexpr AffineTries tries{1.2f, 0.8f, 6, 3, 2, false};
};
struct Fit_Q5_0 : Weighed<Q5_0, 1> {
  static constexpr ScaleTries tries{1.15f, 0.8f, 20, 1};
  static constexpr Signs signs = Signs::both;
};
struct Fit_Q5_1 : Weighed<Q5_1, 1> {
  static constexpr AffineTries tries{1.1f, 0.85f, 10, 3, 2, false};
};
struct Fit_Q8_0 : Weighed<Q8_0, 1> {
  static constexpr ScaleTries tries{1.03f, 0.97f, 20, 0};
  static constexpr Signs signs = Signs::closer;
};
struct Fit_IQ4_NL : Weighed<IQ4_NL, 1> {
  static constexpr ScaleTries tries{1.2f, 0.8f, 8, 2};
  static constexpr Signs signs = Signs::both;
};
struct Fit_MXFP4 : Weighed<MXFP4, 1> {};
struct Fit_TQ1_0 : Weighed<TQ1_0, 1> {
  static constexpr ScaleTries tries{0.9f, 0.15f, 8, 2};
  static constexpr Signs signs = Signs::closer;
};
struct Fit_TQ2_0 : Weighed<TQ2_0, 1> {
  static constexpr ScaleTries tries = Fit_TQ1_0::tries;
  static constexpr Signs signs = Signs::closer;
};

struct Fit_Q2_K : Weighed<Q2_K, 1> {
  static constexpr AffineTries tries{1.2f, 0.7f, 6, 3, 2, true};
  static constexpr float super_step = 0.25f;
  static constexpr int rounds = 3;
};
struct Fit_Q4_K : Weighed<Q4_K, 1> {
  static constexpr AffineTries tries{1.2f, 0.8f, 6, 3, 3, true};
  static constexpr float super_step = 1;
  static constexpr int rounds = 2;
};
struct Fit_Q5_K : Weighed<Q5_K, 1> {
  static constexpr AffineTries tries{1.1f, 0.9f, 8, 3, 2, true};
  static constexpr float super_step = 1;
  static constexpr int rounds = 2;
};
struct Fit_Q3_K : Weighed<Q3_K, 1> {
  static constexpr ScaleTries tries{1.2f, 0.6f, 16, 1};
  static constexpr Signs signs = Signs::both;
  static constexpr int reach = 1, super_tries = 12, rounds = 2;
  static constexpr float super_step = 0.5f;
};
struct Fit_Q6_K : Weighed<Q6_K, 0> {
  static constexpr ScaleTries tries{1.2f, 0.95f, 16, 1};
  static constexpr Signs signs = Signs::closer;
  static constexpr int reach = 1, super_tries = 8, rounds = 2;
  static constexpr float super_step = 1;
};
struct Fit_IQ4_XS : Weighed<IQ4_XS, 1> {
  static constexpr ScaleTries tries{1.2f, 0.8f, 8, 2};
  static constexpr Signs signs = Signs::both;
  static constexpr int reach = 1, super_tries = 12, rounds = 2;
  static constexpr float super_step = 0.5f;
};

template <int Bits, bool Symmetric>
struct Fit_Int : Weighed<Int<Bits, Symmetric>, 1> {
  static constexpr ScaleTries tries = Bits == 2   ? ScaleTries{1.0f, 0.3f, 8, 2}
                                      : Bits == 3 ? ScaleTries{1.1f, 0.5f, 8, 2}
                                      : Bits == 4 ? ScaleTries{1.1f, 0.6f, 11, 1}
                                                  : ScaleTries{1.02f, 0.94f, 12, 1};
  static constexpr Signs signs = Bits < 8 ? Signs::both : Signs::closer;
};

// ---- blocks of one scale

template <class Format>
inline void store_parameters(uint8_t* block, float scale, float offset) {
  if constexpr (requires { Format::store(block, scale, 0); } && requires { Format::code_max; }) {
    Format::store(block, scale, static_cast<int>(offset));
  } else if constexpr (requires { Format::store(block, scale, offset); }) {
    Format::store(block, scale, offset);
  } else {
    Format::store(block, scale);
  }
}

template <class Format>
inline void pack_codes(const uint8_t* codes, int64_t n, uint8_t* block) {
  if constexpr (requires { Format::code_max; }) {
    Format::pack(codes, n, block);
  } else {
    Format::pack(codes, block);
  }
}

template <class L>
using Recipe = void (*)(const Tile<L>&, Fitted<L>*);

template <class Format, class L, Recipe<L> nearest, Recipe<L> search>
void fit_simple(const Codec&, const BlockRun& run, Fit fit) {
  const int64_t n = run.n;
  auto x = std::make_unique_for_overwrite<L[]>(static_cast<size_t>(n));
  auto w = std::make_unique_for_overwrite<L[]>(static_cast<size_t>(n));
  auto turned = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(n) * L::width);
  auto codes = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(n));
  const Tile<L> tile{n, x.get(), w.get()};
  for (int64_t first = 0; first < run.count; first += L::width) {
    const int used = static_cast<int>(run.count - first < L::width ? run.count - first : L::width);
    Source sources[L::width];
    for (int lane = 0; lane < L::width; lane++) {
      int64_t at = first + (lane < used ? lane : 0);
      sources[lane] = {run.x + at * run.x_stride, run.importance ? run.importance + at * run.importance_stride : nullptr, run.sigma2[at * run.sigma2_stride]};
    }
    L largest = gather<L>(sources, n, fit == Fit::search ? Format::sigma_factor : 0, tile);
    Fitted<L> fitted{L(0), L(0), turned.get()};
    if (fit == Fit::search) {
      normalize(tile, largest);
      search(tile, &fitted);
    } else {
      nearest(tile, &fitted);
    }
    float scales[L::width], offsets[L::width];
    fitted.scale.store(scales);
    fitted.offset.store(offsets);
    for (int lane = 0; lane < used; lane++) {
      uint8_t* block = run.blocks + static_cast<size_t>(first + lane) * run.block_stride;
      for (int64_t j = 0; j < n; j++) codes[j] = turned[j * L::width + lane];
      store_parameters<Format>(block, scales[lane], offsets[lane]);
      pack_codes<Format>(codes.get(), n, block);
    }
  }
}

// ---- super-blocks

template <class Format, class L, void (*fit_block)(const Source&, Fit, uint8_t*)>
void fit_super(const Codec&, const BlockRun& run, Fit fit) {
  for (int64_t b = 0; b < run.count; b++) {
    const Source source{run.x + b * run.x_stride, run.importance ? run.importance + b * run.importance_stride : nullptr, run.sigma2[b * run.sigma2_stride]};
    fit_block(source, fit, run.blocks + static_cast<size_t>(b) * run.block_stride);
  }
}

// ---- decoding

// x = step * level + offset for one part; levels of the codes by addition or by table.
template <class L>
inline void apply_part(const Grid& g, int64_t part, const uint8_t* codes, int64_t n, float* x) {
  const L step(g.step[part]), offset(g.offset[part]), lowest(static_cast<float>(g.q_min));
  int64_t j = 0;
  if (g.levels) {
    for (; j + L::width <= n; j += L::width) (step * lookup16(g.levels, L::load(codes + j)) + offset).store(x + j);
  } else {
    for (; j + L::width <= n; j += L::width) (step * (L::load(codes + j) + lowest) + offset).store(x + j);
  }
  if constexpr (L::width > 1) {
    if (j < n) apply_part<Lane>(g, part, codes + j, n - j, x + j);
  }
}

template <class Format, class L>
void decode_block(const Codec&, const uint8_t* block, int64_t, float* x) {
  Grid g;
  uint8_t codes[Format::block];
  Format::grid(block, &g);
  Format::unpack(block, codes);
  const int64_t part = g.part;
  for (int64_t first = 0, p = 0; first < Format::block; first += part, p++) apply_part<L>(g, p, codes + first, part, x + first);
}

template <class Format, class L>
void decode_int(const Codec&, const uint8_t* block, int64_t n, float* x) {
  constexpr int64_t chunk = 256;
  Grid g;
  uint8_t codes[chunk];
  Format::grid(block, n, &g);
  for (int64_t first = 0; first < n; first += chunk) {
    int64_t count = n - first < chunk ? n - first : chunk;
    Format::unpack(block, first, count, codes);
    apply_part<L>(g, 0, codes, count, x + first);
  }
}

// ---- floats: any number of weights at once

inline float same(float value) { return value; }

template <class Stored, float (*from)(Stored)>
void decode_floats(const Codec&, const uint8_t* block, int64_t n, float* x) {
  for (int64_t j = 0; j < n; j++) x[j] = from(load_as<Stored>(block + j * sizeof(Stored)));
}
template <class Stored, Stored (*to)(float)>
void store_floats(const Codec&, const BlockRun& run, Fit) {
  for (int64_t b = 0; b < run.count; b++) {
    const float* x = run.x + b * run.x_stride;
    uint8_t* block = run.blocks + static_cast<size_t>(b) * run.block_stride;
    for (int64_t j = 0; j < run.n; j++) store_as<Stored>(block + j * sizeof(Stored), to(x[j]));
  }
}

template <class L>
void decode_halves(const Codec&, const uint8_t* block, int64_t n, float* x) {
  int64_t j = 0;
  for (; j + L::width <= n; j += L::width) L::load_half(block + 2 * j).store(x + j);
  for (; j < n; j++) x[j] = load_half(block + 2 * j);
}
template <class L>
void store_halves(const Codec&, const BlockRun& run, Fit) {
  for (int64_t b = 0; b < run.count; b++) {
    const float* x = run.x + b * run.x_stride;
    uint8_t* block = run.blocks + static_cast<size_t>(b) * run.block_stride;
    int64_t j = 0;
    for (; j + L::width <= run.n; j += L::width) L::load(x + j).store_half(block + 2 * j);
    for (; j < run.n; j++) store_half(block + 2 * j, x[j]);
  }
}

template <int Bits, bool Symmetric, class L>
constexpr CodecKernels int_kernels(const char* name) {
  using Format = Fit_Int<Bits, Symmetric>;
  return {name, decode_int<Format, L>, fit_simple<Format, L, nearest_int<Format, L>, search_int<Format, L>>};
}

// ---- the table

template <class L>
inline constexpr CodecKernels codec_kernels[] = {
    {"F32", decode_floats<float, same>, store_floats<float, same>},
    {"F16", decode_halves<L>, store_halves<L>},
    {"BF16", decode_floats<uint16_t, bfloat_to_float>, store_floats<uint16_t, float_to_bfloat>},
    {"Q4_0", decode_block<Q4_0, L>, fit_simple<Fit_Q4_0, L, nearest_signed<Fit_Q4_0, L>, search_signed<Fit_Q4_0, L>>},
    {"Q4_1", decode_block<Q4_1, L>, fit_simple<Fit_Q4_1, L, nearest_range<Fit_Q4_1, L>, search_range<Fit_Q4_1, L>>},
    {"Q5_0", decode_block<Q5_0, L>, fit_simple<Fit_Q5_0, L, nearest_signed<Fit_Q5_0, L>, search_signed<Fit_Q5_0, L>>},
    {"Q5_1", decode_block<Q5_1, L>, fit_simple<Fit_Q5_1, L, nearest_range<Fit_Q5_1, L>, search_range<Fit_Q5_1, L>>},
    {"Q8_0", decode_block<Q8_0, L>, fit_simple<Fit_Q8_0, L, nearest_magnitude<Fit_Q8_0, L>, search_signed<Fit_Q8_0, L>>},
    {"IQ4_NL", decode_block<IQ4_NL, L>, fit_simple<Fit_IQ4_NL, L, nearest_levels<Fit_IQ4_NL, L>, search_levels<Fit_IQ4_NL, L>>},
    {"MXFP4", decode_block<MXFP4, L>, fit_simple<Fit_MXFP4, L, nearest_power<Fit_MXFP4, L>, search_power<Fit_MXFP4, L>>},
    {"TQ1_0", decode_block<TQ1_0, L>, fit_simple<Fit_TQ1_0, L, nearest_magnitude<Fit_TQ1_0, L>, search_signed<Fit_TQ1_0, L>>},
    {"TQ2_0", decode_block<TQ2_0, L>, fit_simple<Fit_TQ2_0, L, nearest_magnitude<Fit_TQ2_0, L>, search_signed<Fit_TQ2_0, L>>},
    {"Q2_K", decode_block<Q2_K, L>, fit_super<Fit_Q2_K, L, fit_affine_super<Fit_Q2_K, L>>},
    {"Q3_K", decode_block<Q3_K, L>, fit_super<Fit_Q3_K, L, fit_symmetric_super<Fit_Q3_K, L>>},
    {"Q4_K", decode_block<Q4_K, L>, fit_super<Fit_Q4_K, L, fit_affine_super<Fit_Q4_K, L>>},
    {"Q5_K", decode_block<Q5_K, L>, fit_super<Fit_Q5_K, L, fit_affine_super<Fit_Q5_K, L>>},
    {"Q6_K", decode_block<Q6_K, L>, fit_super<Fit_Q6_K, L, fit_symmetric_super<Fit_Q6_K, L>>},
    {"IQ4_XS", decode_block<IQ4_XS, L>, fit_super<Fit_IQ4_XS, L, fit_symmetric_super<Fit_IQ4_XS, L>>},
    int_kernels<2, false, L>("int2"),
    int_kernels<2, true, L>("int2-sym"),
    int_kernels<3, false, L>("int3"),
    int_kernels<3, true, L>("int3-sym"),
    int_kernels<4, false, L>("int4"),
    int_kernels<4, true, L>("int4-sym"),
    int_kernels<8, false, L>("int8"),
    int_kernels<8, true, L>("int8-sym"),
};

}  // namespace
}  // namespace halftone
