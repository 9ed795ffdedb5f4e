#include "../reference/codec_formats.h"
#include "codec_lanes_avx2.h"

namespace halftone {

std::span<const CodecKernels> codec_kernels_avx2() { return codec_kernels<Lanes8>; }

}  // namespace halftone
