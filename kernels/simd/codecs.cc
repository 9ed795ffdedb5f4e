// Finds a codec in the table of the instruction set in use, and codes whole rows.
#include "../reference/codecs.h"
#include "cpu.h"

namespace halftone {
namespace {

std::span<const CodecKernels> kernels_of(Simd set) {
  switch (set) {
#if defined(HALFTONE_X64)
    case Simd::avx2: return codec_kernels_avx2();
#elif defined(HALFTONE_ARM64)
    case Simd::neon: return codec_kernels_neon();
#endif
    default: return codec_kernels_scalar();
  }
}

const std::vector<Codec>& codecs() {
  static const std::vector<Codec> tables[] = {make_codecs(kernels_of(Simd::scalar)), make_codecs(kernels_of(Simd::avx2)), make_codecs(kernels_of(Simd::neon))};
  return tables[static_cast<int>(simd())];
}

}  // namespace

const Codec* find_codec(std::string_view name) {
  for (const Codec& codec : codecs()) {
    if (codec.name == name) return &codec;
  }
  return nullptr;
}

void decode_row(const Codec& codec, const uint8_t* bytes, int64_t cols, float* x) {
  const int64_t n = codec.block <= 1 ? cols : codec.block;
  const size_t stride = codec.block_bytes(codec, n);
  for (int64_t first = 0; first < cols; first += n, bytes += stride) codec.decode(codec, bytes, n, x + first);
}

void encode_row(const Codec& codec, const float* x, const float* importance, Fit fit, int64_t cols, uint8_t* bytes) {
  const int64_t n = codec.block <= 1 ? cols : codec.block;
  double squares = 0;
  for (int64_t j = 0; j < cols; j++) squares += static_cast<double>(x[j]) * x[j];
  const float sigma2 = static_cast<float>(squares / static_cast<double>(cols));
  codec.fit_many(codec, {cols / n, n, x, n, importance, n, &sigma2, 0, bytes, codec.block_bytes(codec, n)}, fit);
}

}  // namespace halftone
