// exp(z) for z <= 0 in double: z = k·ln 2 + r with |r| <= ln 2 / 2, Taylor's series of exp(r) to r^12 (error below
// 2e-16), times 2^k through the exponent bits.
#include "scoring.h"

#include <immintrin.h>

#include <limits>

namespace halftone {
namespace {

// exp of less is below the smallest normal double; such terms count as 0.
constexpr double lowest = -708;

__m256d exp_nonpositive(__m256d z) {
  const __m256d log2_e = _mm256_set1_pd(1.4426950408889634);
  const __m256d ln2_high = _mm256_set1_pd(6.93147180369123816490e-01);
  const __m256d ln2_low = _mm256_set1_pd(1.90821492927058770002e-10);
  const __m256d vanishing = _mm256_cmp_pd(z, _mm256_set1_pd(lowest), _CMP_LT_OQ);
  z = _mm256_max_pd(_mm256_set1_pd(lowest), z);  // this order of arguments keeps NaN
  const __m256d k = _mm256_round_pd(_mm256_mul_pd(z, log2_e), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256d r = _mm256_fnmadd_pd(k, ln2_low, _mm256_fnmadd_pd(k, ln2_high, z));
  constexpr double inverse_factorials[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
      1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2,      1,           1};
  __m256d sum = _mm256_set1_pd(inverse_factorials[0]);
  for (int i = 1; i < 13; i++) sum = _mm256_fmadd_pd(sum, r, _mm256_set1_pd(inverse_factorials[i]));
  const __m256i exponent = _mm256_slli_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(k)), 52);
  // 2^k is added to the exponent bits; NaN has gone through the series and k's bits do not matter there.
  const __m256d scaled = _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(sum), exponent));
  const __m256d unordered = _mm256_cmp_pd(z, z, _CMP_UNORD_Q);
  return _mm256_andnot_pd(vanishing, _mm256_blendv_pd(scaled, z, unordered));
}

double sum_of(__m256d v) {
  __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}

float maximum(const float* x, int64_t n) {
  __m256 best = _mm256_set1_ps(-std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) best = _mm256_max_ps(best, _mm256_loadu_ps(x + i));
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, best);
  float result = lanes[0];
  for (float lane : lanes) result = lane > result ? lane : result;
  for (; i < n; i++) result = x[i] > result ? x[i] : result;
  return result;
}

double sum_exp(const float* x, int64_t n, double shift) {
  const __m256d by = _mm256_set1_pd(shift);
  __m256d even = _mm256_setzero_pd(), odd = _mm256_setzero_pd();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    even = _mm256_add_pd(even, exp_nonpositive(_mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(x + i)), by)));
    odd = _mm256_add_pd(odd, exp_nonpositive(_mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(x + i + 4)), by)));
  }
  return sum_of(_mm256_add_pd(even, odd)) + scoring_scalar.sum_exp(x + i, n - i, shift);
}

ScoringKernels::Divergence divergence(const float* reference, const float* x, int64_t n, double shift) {
  const __m256d by = _mm256_set1_pd(shift);
  __m256d mass = _mm256_setzero_pd(), difference = _mm256_setzero_pd();
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(reference + i));
    const __m256d b = _mm256_cvtps_pd(_mm_loadu_ps(x + i));
    const __m256d e = exp_nonpositive(_mm256_sub_pd(a, by));
    mass = _mm256_add_pd(mass, e);
    const __m256d present = _mm256_cmp_pd(e, _mm256_setzero_pd(), _CMP_NEQ_UQ);
    difference = _mm256_add_pd(difference, _mm256_and_pd(present, _mm256_mul_pd(e, _mm256_sub_pd(a, b))));
  }
  auto rest = scoring_scalar.divergence(reference + i, x + i, n - i, shift);
  return {sum_of(mass) + rest.mass, sum_of(difference) + rest.difference};
}

}  // namespace

const ScoringKernels scoring_avx2 = {maximum, sum_exp, divergence};

}  // namespace halftone
