#include "codec_lanes_avx2.h"
#include "gptq_tile.h"

namespace halftone {

const GptqKernels& gptq_kernels_avx2() { return kernels_over<Lanes8>; }

}  // namespace halftone
