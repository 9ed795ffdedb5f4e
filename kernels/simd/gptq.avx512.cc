#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // of the compiler's own header
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "codec_lanes_avx512.h"
#include "gptq_tile.h"

namespace halftone {

const GptqKernels& gptq_kernels_avx512() { return kernels_over<Lanes16>; }

}  // namespace halftone
