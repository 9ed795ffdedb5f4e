// QMatMul: Y [.., N] = A [.., K] · Wᵀ, and with backward = 1 its input gradient dA [.., K] = dY [.., N] · W, from the
// same packed weight. Inputs: A (or dY), codes, scales, zeros (packed_weight.h).
#include "qmatmul.h"

#include <algorithm>

#include "packed_weight.h"

namespace halftone::ops {
namespace {

struct QMatMul : Node {
  WeightFormat format;
  bool backward;

  void compute(const Call& call) const override {
    Input a = call.input(0);
    PackedWeight weight = read_weight(format, call, 1);
    int64_t rows = read_rows(backward ? "dY" : "A", a, backward ? weight.rows : weight.cols);
    auto dims = a.dims;
    dims.back() = backward ? weight.cols : weight.rows;
    float* y = call.output(0, dims);
    if (rows == 0 || dims.back() == 0) return;
    if (weight.rows == 0) {
      std::fill_n(y, rows * weight.cols, 0.0f);
      return;
    }
    (backward ? qmatmul_backward : qmatmul_forward)(weight, a.floats(), rows, y, call.threads());
  }
};

std::unique_ptr<Node> create(const Attributes& attributes) {
  auto node = std::make_unique<QMatMul>();
  node->format = read_format("QMatMul", attributes);
  node->backward = attributes.optional("backward", 0) != 0;
  return node;
}

}  // namespace

Operator qmatmul_operator() {
  return make_operator(
      "QMatMul",
      {{ort::type_float32}, {ort::type_uint8}, {ort::type_float32}, {ort::type_float32, ort::optional_value}},
      {{ort::type_float32}}, create);
}

}  // namespace halftone::ops
