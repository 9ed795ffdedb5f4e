// One step of Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in place:
//   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,
//   p ← p − η ( (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + λ p ).
#pragma once
#include <cstdint>

namespace halftone {

struct AdamOptions {
  double rate, beta1, beta2, epsilon, decay;  // η, β₁, β₂, ε, λ
  int64_t step;                               // t, from 1
};

// All arrays have `count` elements.
void adam_step(float* p, const float* g, float* m, float* v, int64_t count, const AdamOptions& options);

}  // namespace halftone
