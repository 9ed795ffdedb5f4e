// QMatMulScaleGrad: dScales [N, K / group] of QMatMul, given A [.., K] and dY [.., N]; the dense weight's gradient is
// never whole in memory. Inputs: A, dY, codes, scales (their values are not used), zeros (packed_weight.h).
#include <algorithm>
#include <stdexcept>

#include "packed_weight.h"
#include "qmatmul.h"

namespace halftone::ops {
namespace {

struct QMatMulScaleGrad : Node {
  WeightFormat format;

  void compute(const Call& call) const override {
    Input a = call.input(0), dy = call.input(1);
    PackedWeight weight = read_weight(format, call, 2);
    int64_t rows = read_rows("A", a, weight.cols);
    if (read_rows("dY", dy, weight.rows) != rows)
      throw std::invalid_argument("A has " + std::to_string(rows) + " rows, dY another number");
    float* dscales = call.output(0, {weight.rows, weight.groups});
    if (rows == 0) std::fill_n(dscales, weight.rows * weight.groups, 0.0f);
    if (rows == 0 || weight.rows == 0) return;
    qmatmul_scale_gradient(weight, a.floats(), dy.floats(), rows, dscales, call.threads());
  }
};

std::unique_ptr<Node> create(const Attributes& attributes) {
  auto node = std::make_unique<QMatMulScaleGrad>();
  node->format = read_format("QMatMulScaleGrad", attributes);
  return node;
}

}  // namespace

Operator qmatmul_scale_grad_operator() {
  return make_operator("QMatMulScaleGrad",
                       {{ort::type_float32},
                        {ort::type_float32},
                        {ort::type_uint8},
                        {ort::type_float32},
                        {ort::type_float32, ort::optional_value}},
                       {{ort::type_float32}}, create);
}

}  // namespace halftone::ops
