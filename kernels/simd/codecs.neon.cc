#include "../reference/codec_formats.h"
#include "codec_lanes_neon.h"

namespace halftone {

std::span<const CodecKernels> codec_kernels_neon() { return codec_kernels<Lanes4>; }

}  // namespace halftone
