// GGUF's IQ2 and IQ3 formats, read only: 256 weights in vectors of 8 or 4 magnitudes from a fixed list of vectors, with
// signs apart and a scale for 16 or 32 weights. Files that hold them can be opened; finding the best vectors is not offered.
#pragma once
#include <cstdint>

#include "codec.h"

namespace halftone {

extern const uint16_t iq2_xxs_grid[256], iq2_xs_grid[512], iq2_s_grid[1024], iq3_xxs_grid[256], iq3_s_grid[512];

void decode_iq2_xxs(const Codec&, const uint8_t* block, int64_t n, float* x);
void decode_iq2_xs(const Codec&, const uint8_t* block, int64_t n, float* x);
void decode_iq2_s(const Codec&, const uint8_t* block, int64_t n, float* x);
void decode_iq3_xxs(const Codec&, const uint8_t* block, int64_t n, float* x);
void decode_iq3_s(const Codec&, const uint8_t* block, int64_t n, float* x);

}  // namespace halftone
