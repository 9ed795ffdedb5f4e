// An operator for ONNX Runtime: a name, typed ports, and two functions. The rest of the callback table is the same for
// all.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../node/ort_api.h"
#include "../simd/qmatmul.h"

namespace halftone::ops {

// The first API version that has everything the operators call (KernelContext_ParallelFor).
constexpr uint32_t operator_api_version = 17;

constexpr const char* operator_domain = "halftone";

struct Port {
  ort::ElementType type;
  ort::Characteristic characteristic = ort::required_value;
};

// What the model says of one node.
struct Attributes {
  const ort::Api& api;
  const ort::KernelInfo* info;

  int64_t required(const char* name) const;
  int64_t optional(const char* name, int64_t otherwise) const;
};

struct Input {
  const void* data = nullptr;  // nullptr: an optional input that is absent
  std::vector<int64_t> dims;

  const float* floats() const { return static_cast<const float*>(data); }
  const uint8_t* bytes() const { return static_cast<const uint8_t*>(data); }
};

// One call of a node.
class Call {
 public:
  Call(const ort::Api& api, ort::KernelContext* context) : api_(api), context_(context) {}
  Input input(size_t index) const;
  float* output(size_t index, const std::vector<int64_t>& dims) const;
  // The runtime's own threads.
  Threads threads() const;

 private:
  const ort::Api& api_;
  ort::KernelContext* context_;
};

// What a node keeps between calls: its attributes, checked.
struct Node {
  virtual ~Node() = default;
  virtual void compute(const Call& call) const = 0;  // throws std::invalid_argument for inputs that do not fit
};

struct Operator : ort::CustomOp {
  const char* name;
  std::vector<Port> inputs, outputs;
  std::unique_ptr<Node> (*create)(const Attributes&);  // throws std::invalid_argument
};

Operator make_operator(const char* name, std::vector<Port> inputs, std::vector<Port> outputs,
                       std::unique_ptr<Node> (*create)(const Attributes&));

// All operators of the domain.
std::span<const Operator> operators();

// Throws std::invalid_argument "<what>: found [..], expected [..]" where the shapes differ.
void expect_dims(const char* what, const std::vector<int64_t>& found, const std::vector<int64_t>& expected);

}  // namespace halftone::ops
