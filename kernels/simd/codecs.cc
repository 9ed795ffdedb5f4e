// Finds a codec in the table of the instruction set in use, and codes whole rows.
#include <map>

#include "../reference/codecs.h"
#include "cpu.h"

namespace halftone {
namespace {

std::span<const CodecKernels> kernels_of(Simd set) {
#if defined(HALFTONE_X64)
  if (set >= Simd::avx2) return codec_kernels_avx2();
#elif defined(HALFTONE_ARM64)
  if (set == Simd::neon) return codec_kernels_neon();
#endif
  return codec_kernels_scalar();
}

const std::vector<Codec>& codecs() {
  static const std::map<Simd, std::vector<Codec>> tables = [] {
    std::map<Simd, std::vector<Codec>> made;
    for (Simd set : simd_sets()) made[set] = make_codecs(kernels_of(set));
    return made;
  }();
  return tables.at(simd());
}

float mean_square(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t j = 0; j < n; j++) sum += static_cast<double>(x[j]) * x[j];
  return static_cast<float>(sum / static_cast<double>(n));
}

}  // namespace

const Codec* find_stored(std::string_view name) {
  for (const Codec& codec : codecs()) {
    if (codec.name == name) return &codec;
  }
  return nullptr;
}

const Codec* find_codec(std::string_view name) {
  const Codec* codec = find_stored(name);
  return codec && codec->fit ? codec : nullptr;
}

void decode_row(const Codec& codec, const uint8_t* bytes, int64_t cols, float* x) {
  const int64_t n = codec.block <= 1 ? cols : codec.block;
  const size_t stride = codec.block_bytes(codec, n);
  for (int64_t first = 0; first < cols; first += n, bytes += stride) codec.decode(codec, bytes, n, x + first);
}

void encode_rows(const Codec& codec, const float* x, const float* importance, Fit fit, int64_t rows, int64_t cols, uint8_t* bytes) {
  const int64_t n = codec.block <= 1 ? cols : codec.block;
  const size_t block_bytes = codec.block_bytes(codec, n), row = static_cast<size_t>(cols / n) * block_bytes;
  std::vector<float> sigma2;
  for (int64_t r = 0; r < rows; r++) sigma2.push_back(mean_square(x + r * cols, cols));
  if (n == cols) {
    codec.fit_many(codec, {rows, n, x, cols, importance, 0, sigma2.data(), 1, bytes, row}, fit);
    return;
  }
  for (int64_t r = 0; r < rows; r++) {
    codec.fit_many(codec, {cols / n, n, x + r * cols, n, importance, n, &sigma2[static_cast<size_t>(r)], 0, bytes + static_cast<size_t>(r) * row, block_bytes}, fit);
  }
}

}  // namespace halftone
