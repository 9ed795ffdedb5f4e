// The functions of the codecs by instruction set. The scalar ones define the formats; the others agree bit by bit.
#pragma once
#include <span>
#include <vector>

#include "codec.h"

namespace halftone {

// Plain data, so that files compiled for a wider instruction set share no code with the rest of the program.
struct CodecKernels {
  const char* name;  // the group-wise integers' without the group: "int4", "int4-sym"
  void (*decode)(const Codec&, const uint8_t* block, int64_t n, float* x);
  void (*fit_many)(const Codec&, const BlockRun&, Fit);
};

std::span<const CodecKernels> codec_kernels_scalar();
std::span<const CodecKernels> codec_kernels_avx2();
std::span<const CodecKernels> codec_kernels_neon();

// Every codec, with these functions.
std::vector<Codec> make_codecs(std::span<const CodecKernels> kernels);

}  // namespace halftone
