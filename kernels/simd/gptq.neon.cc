#include "codec_lanes_neon.h"
#include "gptq_tile.h"

namespace halftone {

const GptqKernels& gptq_kernels_neon() { return kernels_over<Lanes4>; }

}  // namespace halftone
