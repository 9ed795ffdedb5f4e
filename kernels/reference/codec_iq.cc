#include "codec_iq.h"

#include <bit>

#include "codec_half.h"

namespace halftone {
namespace {

constexpr float iq2_magnitudes[4] = {8, 25, 43, 0};  // the lists never use the fourth place
constexpr float iq3_xxs_magnitudes[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr float iq3_s_magnitudes[8] = {1, 3, 5, 7, 9, 11, 13, 15};

// x[j] = scale * magnitude, negated where bit j of `signs` is set.
template <int count, int bits>
void put_vector(float scale, uint32_t entry, const float* magnitudes, uint32_t signs, float* x) {
  for (int j = 0; j < count; j++) {
    float value = scale * magnitudes[entry >> bits * j & ((1 << bits) - 1)];
    x[j] = signs >> j & 1 ? -value : value;
  }
}

// Seven stored signs of eight: the eighth makes the number of minus signs even.
uint32_t with_parity(uint32_t seven) { return seven | (static_cast<uint32_t>(std::popcount(seven)) & 1) << 7; }

float half_step(float d, uint32_t scale, float unit) { return d * (0.5f + static_cast<float>(scale)) * unit; }

uint32_t nibble(const uint8_t* bytes, int index) { return bytes[index / 2] >> 4 * (index % 2) & 15; }

}  // namespace

// d, then for each 32 weights four list indices and a word of 4 x 7 signs under a 4-bit scale.
void decode_iq2_xxs(const Codec&, const uint8_t* block, int64_t, float* x) {
  const float d = load_half(block);
  for (int part = 0; part < 8; part++) {
    const uint8_t* indices = block + 2 + 8 * part;
    const uint32_t word = load_as<uint32_t>(indices + 4);
    const float scale = half_step(d, word >> 28, 0.25f);
    for (int k = 0; k < 4; k++) put_vector<8, 2>(scale, iq2_xxs_grid[indices[k]], iq2_magnitudes, with_parity(word >> 7 * k & 127), x + 32 * part + 8 * k);
  }
}

// d, 32 words of 9 index bits under 7 sign bits, 16 scales of 4 bits.
void decode_iq2_xs(const Codec&, const uint8_t* block, int64_t, float* x) {
  const float d = load_half(block);
  for (int k = 0; k < 32; k++) {
    const uint32_t word = load_as<uint16_t>(block + 2 + 2 * k);
    const float scale = half_step(d, nibble(block + 66, k / 2), 0.25f);
    put_vector<8, 2>(scale, iq2_xs_grid[word & 511], iq2_magnitudes, with_parity(word >> 9), x + 8 * k);
  }
}

// d, 32 low index bytes, 32 sign bytes, 32 pairs of high index bits, 16 scales of 4 bits.
void decode_iq2_s(const Codec&, const uint8_t* block, int64_t, float* x) {
  const float d = load_half(block);
  for (int k = 0; k < 32; k++) {
    const uint32_t index = block[2 + k] | (block[66 + k / 4] >> 2 * (k % 4) & 3u) << 8;
    const float scale = half_step(d, nibble(block + 74, k / 2), 0.25f);
    put_vector<8, 2>(scale, iq2_s_grid[index], iq2_magnitudes, block[34 + k], x + 8 * k);
  }
}

// d, 64 list indices, then for each 32 weights a word of 4 x 7 signs under a 4-bit scale.
void decode_iq3_xxs(const Codec&, const uint8_t* block, int64_t, float* x) {
  const float d = load_half(block);
  for (int k = 0; k < 64; k++) {
    const uint32_t word = load_as<uint32_t>(block + 66 + 4 * (k / 8));
    const uint32_t signs = with_parity(word >> 7 * (k / 2 % 4) & 127) >> 4 * (k % 2);
    put_vector<4, 3>(half_step(d, word >> 28, 0.5f), iq3_xxs_grid[block[2 + k]], iq3_xxs_magnitudes, signs, x + 4 * k);
  }
}

// d, 64 low index bytes, 64 high index bits, 256 signs, 8 scales of 4 bits.
void decode_iq3_s(const Codec&, const uint8_t* block, int64_t, float* x) {
  const float d = load_half(block);
  for (int k = 0; k < 64; k++) {
    const uint32_t index = block[2 + k] | (block[66 + k / 8] >> k % 8 & 1u) << 8;
    const float scale = d * static_cast<float>(1 + 2 * nibble(block + 106, k / 8));
    put_vector<4, 3>(scale, iq3_s_grid[index], iq3_s_magnitudes, block[74 + k / 2] >> 4 * (k % 2), x + 4 * k);
  }
}

}  // namespace halftone
