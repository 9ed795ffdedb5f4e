// What a storage format is: rows are sequences of self-contained blocks of weights.
// The scalar functions in reference/ define every format; simd/ has faster versions of the same functions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace halftone {

// The values a fitted block can take: value(i, q) = step[i / part] * level(q) + offset[i / part],
// with level(q) = q for q in [q_min, q_max], or levels[q] (ascending) for q in [0, q_max] where there is a table.
constexpr int max_parts = 16;
struct Grid {
  int64_t part;  // weights that share a step and an offset
  float step[max_parts];
  float offset[max_parts];
  const float* levels;  // nullptr: affine
  int q_min, q_max;
};

enum class Fit {
  nearest,  // scales from the range of the weights (the format's plain recipe)
  search,   // scales by importance-weighted least squares
};

// Blocks fitted together: block b reads n weights at x + b * x_stride, and so on; a stride of 0 shares what it strides.
// Blocks of one row, or one block of many rows. Formats of one scale a block fit several of a run at once.
struct BlockRun {
  int64_t count, n;
  const float* x;
  int64_t x_stride;
  const float* importance;  // nullptr: all alike
  int64_t importance_stride;
  const float* sigma2;  // mean square of the row that the block lies in (some searches weigh by it)
  int64_t sigma2_stride;
  uint8_t* blocks;
  size_t block_stride;
};

// What a part's step and base, value(code) = step * code + base, should be, and how the error grows around them:
// ss ds^2 + 2 sb ds db + bb db^2. Symmetric formats and those with a table of levels have a step only.
struct WantedPart {
  float step, base;
  float ss, sb, bb;
};

struct Codec {
  std::string name;
  int64_t block;  // weights in a block; 0: one block is a whole row
  int bits;       // of a code
  bool symmetric;

  // Bytes of one block of n weights (n == block unless block is 0).
  size_t (*block_bytes)(const Codec&, int64_t n);
  // Block of n weights -> floats.
  void (*decode)(const Codec&, const uint8_t* block, int64_t n, float* x);
  // Fits the block's parameters and codes to x. importance: one weight per element (E[x_j^2] of the layer's inputs),
  // or nullptr. sigma2: mean square of the row the block lies in (some searches weigh by it).
  void (*fit)(const Codec&, const float* x, const float* importance, float sigma2, Fit, int64_t n, uint8_t* block);
  // The same for many blocks, with the same result.
  void (*fit_many)(const Codec&, const BlockRun&, Fit);
  // The grid that the block's parameters span; nullptr for formats without codes (F32, F16, BF16).
  void (*grid)(const Codec&, const uint8_t* block, int64_t n, Grid*);
  // Replaces the block's codes (one byte each, q - q_min for affine grids), keeps its parameters.
  void (*pack)(const Codec&, const uint8_t* codes, int64_t n, uint8_t* block);
  // Replaces the block's parameters by the storable ones of least error; the codes are then to be packed anew.
  void (*set)(const Codec&, const WantedPart* parts, uint8_t* block) = nullptr;
};

// nullptr for a name that is not a format: "Q4_K", "int4-g64", "int3-channel-sym", …
// The codec's functions are the ones for the instruction set in use (simd/cpu.h); all give the same bytes.
const Codec* find_codec(std::string_view name);
// Also the formats that are only read ("IQ2_XXS", …), whose functions other than block_bytes and decode are nullptr.
const Codec* find_stored(std::string_view name);

inline int64_t block_length(const Codec& codec, int64_t cols) { return codec.block ? codec.block : cols; }
inline size_t row_bytes(const Codec& codec, int64_t cols) {
  int64_t n = block_length(codec, cols);
  return static_cast<size_t>(cols / n) * codec.block_bytes(codec, n);
}

// One row of cols weights (a multiple of the block) and its row_bytes().
void decode_row(const Codec&, const uint8_t* bytes, int64_t cols, float* x);
// rows of cols weights each. importance: [cols] or nullptr. Where a block is a whole row, several rows are fitted at once.
void encode_rows(const Codec&, const float* x, const float* importance, Fit, int64_t rows, int64_t cols, uint8_t* bytes);
inline void encode_row(const Codec& codec, const float* x, const float* importance, Fit fit, int64_t cols, uint8_t* bytes) {
  encode_rows(codec, x, importance, fit, 1, cols, bytes);
}

}  // namespace halftone
