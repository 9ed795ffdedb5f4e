#include "codec_lanes_avx512.h"
#include "gptq_tile.h"

namespace halftone {

const GptqKernels& gptq_kernels_avx512() { return kernels_over<Lanes16>; }

}  // namespace halftone
