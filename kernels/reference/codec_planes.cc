#include "codec_planes.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace halftone {
namespace {

// A part of one value has no scale to divide by; the value is then scale * -zero with codes 0, both exact.
constexpr float flat_zero = -1048576;

// Which code stands for which level, and the zero point that goes with it.
struct Part {
  float step, offset;  // of the grid
  float scale, zero;   // of the plane
  float first;         // level of code 0
  float last_code;
};

Part part_of(const Grid& grid, const PlaneFormat& format, int64_t index) {
  Part part;
  part.step = grid.step[index];
  part.offset = grid.offset[index];
  part.last_code = static_cast<float>((1 << format.bits) - 1);
  part.scale = part.step;
  if (!format.zeros) {
    part.zero = static_cast<float>(1 << (format.bits - 1));
    part.first = -part.zero;
    return part;
  }
  part.first = static_cast<float>(grid.q_min);
  part.zero = -part.first - part.offset / part.step;
  if (part.step == 0 || !std::isfinite(part.zero)) {
    part.step = 0;
    part.scale = part.offset / -flat_zero;
    part.zero = part.offset == 0 ? 0 : flat_zero;
  }
  return part;
}

// The code of a decoded value: levels are whole, so rounding undoes the arithmetic of decoding.
uint8_t code_of(const Part& part, float x) {
  float code = part.step == 0 ? 0 : std::nearbyint((x - part.offset) / part.step) - part.first;
  return static_cast<uint8_t>(code > 0 ? std::min(code, part.last_code) : 0);
}

// Puts codes into a bit stream that starts at a whole byte.
void pack_stream(const uint8_t* codes, int64_t count, int bits, uint8_t* bytes) {
  uint32_t word = 0;
  int held = 0;
  for (int64_t i = 0; i < count; i++) {
    word |= static_cast<uint32_t>(codes[i]) << held;
    for (held += bits; held >= 8; held -= 8, word >>= 8) *bytes++ = static_cast<uint8_t>(word);
  }
  if (held > 0) *bytes = static_cast<uint8_t>(word);
}

}  // namespace

PlaneFormat plane_format(const Codec& codec) {
  if (!codec.grid) return {0, 0, false};
  constexpr int64_t probe = 256;  // no block is longer, but for whole rows
  const std::vector<uint8_t> block(codec.block_bytes(codec, codec.block ? codec.block : probe));
  Grid grid;
  codec.grid(codec, block.data(), codec.block ? codec.block : probe, &grid);
  const bool fits = !grid.levels && (codec.bits <= 4 || codec.bits == 8);
  return {fits ? codec.bits : 8, codec.block ? grid.part : 0, !codec.symmetric};
}

void row_planes(const Codec& codec, const PlaneFormat& format, const uint8_t* bytes, int64_t cols, uint8_t* codes, float* scales, float* zeros) {
  const int64_t n = block_length(codec, cols);
  const size_t stride = codec.block_bytes(codec, n);
  std::vector<float> x(static_cast<size_t>(n));
  std::vector<uint8_t> unpacked(static_cast<size_t>(n));
  for (int64_t first = 0; first < cols; first += n, bytes += stride) {
    Grid grid;
    codec.grid(codec, bytes, n, &grid);
    codec.decode(codec, bytes, n, x.data());
    for (int64_t index = 0; index * grid.part < n; index++) {
      const Part part = part_of(grid, format, index);
      *scales++ = part.scale;
      if (zeros) *zeros++ = part.zero;
      for (int64_t i = index * grid.part; i < std::min((index + 1) * grid.part, n); i++) unpacked[static_cast<size_t>(i)] = code_of(part, x[static_cast<size_t>(i)]);
    }
    pack_stream(unpacked.data(), n, format.bits, codes + first * format.bits / 8);
  }
}

}  // namespace halftone
