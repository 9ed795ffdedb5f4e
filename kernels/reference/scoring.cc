#include "../simd/scoring.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halftone {
namespace {

float maximum(const float* x, int64_t n) {
  float result = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < n; i++) result = std::max(result, x[i]);
  return result;
}

double sum_exp(const float* x, int64_t n, double shift) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += std::exp(x[i] - shift);
  return sum;
}

ScoringKernels::Divergence divergence(const float* reference, const float* x, int64_t n, double shift) {
  ScoringKernels::Divergence result = {0, 0};
  for (int64_t i = 0; i < n; i++) {
    double e = std::exp(reference[i] - shift);
    result.mass += e;
    if (e != 0) result.difference += e * (static_cast<double>(reference[i]) - x[i]);
  }
  return result;
}

}  // namespace

const ScoringKernels scoring_scalar = {maximum, sum_exp, divergence};

}  // namespace halftone
