#include "scoring.h"

#include <algorithm>
#include <cmath>

#include "cpu.h"
#include "pool.h"

namespace halftone {
namespace {

const ScoringKernels& chosen() {
#ifdef HALFTONE_X64
  if (simd() >= Simd::avx2) return scoring_avx2;
#endif
  return scoring_scalar;
}

int64_t first_of(const float* x, int64_t n, float value) { return std::find(x, x + n, value) - x; }

void score_row(const ScoringKernels& kernels, const float* x, const float* reference, int32_t label, int64_t n,
               double* nll, double* kl, uint8_t* same) {
  float top = kernels.maximum(x, n);
  double mass = kernels.sum_exp(x, n, top);
  *nll = std::log(mass) - (static_cast<double>(x[label]) - top);
  if (!reference) return;
  float reference_top = kernels.maximum(reference, n);
  auto [reference_mass, difference] = kernels.divergence(reference, x, n, reference_top);
  // log q_i − log p_i = (reference_i − x_i) − (reference_top − top) − log(reference_mass / mass)
  *kl = difference / reference_mass - (static_cast<double>(reference_top) - top) - std::log(reference_mass / mass);
  int64_t first = first_of(x, n, top);
  *same = first < n && first == first_of(reference, n, reference_top);
}

}  // namespace

void score_rows(const float* logits, const float* reference, const int32_t* labels, int64_t rows, int64_t vocabulary,
                Scores scores) {
  const auto& kernels = chosen();
  parallel_for(rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      scores.nll[row] = scores.kl[row] = 0;
      scores.same[row] = 0;
      if (labels[row] < 0) continue;
      const float* other = reference ? reference + row * vocabulary : nullptr;
      score_row(kernels, logits + row * vocabulary, other, labels[row], vocabulary, scores.nll + row, scores.kl + row,
                scores.same + row);
    }
  });
}

}  // namespace halftone
