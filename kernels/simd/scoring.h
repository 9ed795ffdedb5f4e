// Scores rows of logits: with p = softmax(x) and q = softmax(reference), both in double,
//   nll = log Σ exp(x_i − max) − (x_label − max),   kl = Σ q_i (log q_i − log p_i),   same = [argmax x = argmax
//   reference].
#pragma once
#include <cstdint>

namespace halftone {

struct Scores {
  double* nll;
  double* kl;     // all zeros where there is no reference
  uint8_t* same;  // likewise
};

// logits: [rows, vocabulary]; reference: the same or nullptr; labels: [rows], a negative one leaves its row unscored
// (zeros). Rows that hold NaN or +inf score NaN. Ties of the maximum go to the first.
void score_rows(const float* logits, const float* reference, const int32_t* labels, int64_t rows, int64_t vocabulary,
                Scores scores);

// The passes over one row of n logits that a fast version replaces.
struct ScoringKernels {
  float (*maximum)(const float* x, int64_t n);
  // Σ exp(x_i − shift)
  double (*sum_exp)(const float* x, int64_t n, double shift);
  // Σ e_i and Σ e_i (reference_i − x_i) with e_i = exp(reference_i − shift); terms with e_i = 0 count as 0.
  struct Divergence {
    double mass, difference;
  };
  Divergence (*divergence)(const float* reference, const float* x, int64_t n, double shift);
};

extern const ScoringKernels scoring_scalar;
extern const ScoringKernels scoring_avx2;

}  // namespace halftone
