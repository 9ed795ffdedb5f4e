// The operators of the domain: one line each.
#include "qmatmul.h"

namespace halftone::ops {

std::span<const Operator> operators() {
  static const Operator all[] = {
      qmatmul_operator(),
      qmatmul_scale_grad_operator(),
  };
  return all;
}

}  // namespace halftone::ops
