#include "adam_step.h"

#include <cmath>

#include "pool.h"

namespace halftone {
namespace {

struct Factors {
  float beta1, rest1, beta2, rest2;
  float keep;    // 1 − η λ
  float rate;    // η / (1 − β₁ᵗ)
  float spread;  // 1 / (1 − β₂ᵗ)
  float epsilon;
};

// The factors by value and the arrays apart, so that the compiler may take several elements at a time.
void update(float* __restrict p, const float* __restrict g, float* __restrict m, float* __restrict v, int64_t count,
            Factors f) {
  for (int64_t i = 0; i < count; i++) {
    m[i] = f.beta1 * m[i] + f.rest1 * g[i];
    v[i] = f.beta2 * v[i] + f.rest2 * (g[i] * g[i]);
    p[i] = f.keep * p[i] - f.rate * m[i] / (std::sqrt(v[i] * f.spread) + f.epsilon);
  }
}

}  // namespace

void adam_step(float* p, const float* g, float* m, float* v, int64_t count, const AdamOptions& options) {
  constexpr int64_t grain = 1 << 14;  // 256 KiB of the four arrays
  const auto step = static_cast<double>(options.step);
  const Factors factors = {
      static_cast<float>(options.beta1),
      static_cast<float>(1 - options.beta1),
      static_cast<float>(options.beta2),
      static_cast<float>(1 - options.beta2),
      static_cast<float>(1 - options.rate * options.decay),
      static_cast<float>(options.rate / (1 - std::pow(options.beta1, step))),
      static_cast<float>(1 / (1 - std::pow(options.beta2, step))),
      static_cast<float>(options.epsilon),
  };
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    update(p + begin, g + begin, m + begin, v + begin, end - begin, factors);
  });
}

}  // namespace halftone
