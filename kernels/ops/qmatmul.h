// The operators on packed weights.
#pragma once
#include "operator.h"

namespace halftone::ops {

Operator qmatmul_operator();
Operator qmatmul_scale_grad_operator();

}  // namespace halftone::ops
