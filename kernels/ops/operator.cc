#include "operator.h"

#include <limits>
#include <stdexcept>

namespace halftone::ops {
namespace {

// A node of the runtime: it gives the function table only when a node is made.
struct Kernel {
  const ort::Api* api;
  std::unique_ptr<Node> node;
};

const Operator& self(const ort::CustomOp* op) { return *static_cast<const Operator*>(op); }

void check(const ort::Api& api, ort::Status* status) {
  if (!status) return;
  std::string message = api.GetErrorMessage(status);
  api.ReleaseStatus(status);
  throw std::invalid_argument(message);
}

// No exception may cross into the runtime.
template <typename Body>
ort::Status* as_status(const ort::Api& api, Body body) {
  try {
    body();
    return nullptr;
  } catch (const std::exception& error) {
    return api.CreateStatus(ort::invalid_argument, error.what());
  }
}

const char* ORT_CALL get_name(const ort::CustomOp* op) { return self(op).name; }
const char* ORT_CALL cpu_provider(const ort::CustomOp*) { return nullptr; }
ort::ElementType ORT_CALL input_type(const ort::CustomOp* op, size_t index) { return self(op).inputs[index].type; }
size_t ORT_CALL input_count(const ort::CustomOp* op) { return self(op).inputs.size(); }
ort::ElementType ORT_CALL output_type(const ort::CustomOp* op, size_t index) { return self(op).outputs[index].type; }
size_t ORT_CALL output_count(const ort::CustomOp* op) { return self(op).outputs.size(); }
ort::Characteristic ORT_CALL input_characteristic(const ort::CustomOp* op, size_t index) {
  return self(op).inputs[index].characteristic;
}
ort::Characteristic ORT_CALL output_characteristic(const ort::CustomOp* op, size_t index) {
  return self(op).outputs[index].characteristic;
}
ort::MemoryType ORT_CALL memory_type(const ort::CustomOp*, size_t) { return ort::default_memory; }
int ORT_CALL one(const ort::CustomOp*) { return 1; }
int ORT_CALL any_version(const ort::CustomOp*) { return std::numeric_limits<int>::max(); }

ort::Status* ORT_CALL create_kernel(const ort::CustomOp* op, const ort::Api* api, const ort::KernelInfo* info,
                                    void** kernel) {
  return as_status(*api, [&] {
    *kernel = std::make_unique<Kernel>(Kernel{api, self(op).create(Attributes{*api, info})}).release();
  });
}

ort::Status* ORT_CALL compute(void* kernel, ort::KernelContext* context) {
  auto& made = *static_cast<Kernel*>(kernel);
  return as_status(*made.api, [&] { made.node->compute(Call(*made.api, context)); });
}

void ORT_CALL destroy(void* kernel) { std::unique_ptr<Kernel>(static_cast<Kernel*>(kernel)); }

struct Parallel {
  const ort::Api& api;
  const ort::KernelContext* context;
};

std::string shape_text(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); i++) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

}  // namespace

int64_t Attributes::required(const char* name) const {
  int64_t value = 0;
  check(api, api.KernelInfoGetAttribute_int64(info, name, &value));
  return value;
}

int64_t Attributes::optional(const char* name, int64_t otherwise) const {
  int64_t value = 0;
  ort::Status* status = api.KernelInfoGetAttribute_int64(info, name, &value);
  if (!status) return value;
  api.ReleaseStatus(status);
  return otherwise;
}

Input Call::input(size_t index) const {
  Input input;
  size_t count = 0;
  check(api_, api_.KernelContext_GetInputCount(context_, &count));
  if (index >= count) return input;
  const ort::Value* value = nullptr;
  check(api_, api_.KernelContext_GetInput(context_, index, &value));
  if (!value) return input;
  ort::TensorInfo* info = nullptr;
  check(api_, api_.GetTensorTypeAndShape(value, &info));
  size_t rank = 0;
  ort::Status* status = api_.GetDimensionsCount(info, &rank);
  input.dims.resize(rank);
  if (!status) status = api_.GetDimensions(info, input.dims.data(), rank);
  api_.ReleaseTensorTypeAndShapeInfo(info);
  check(api_, status);
  void* data = nullptr;
  check(api_, api_.GetTensorMutableData(const_cast<ort::Value*>(value), &data));
  input.data = data;
  return input;
}

float* Call::output(size_t index, const std::vector<int64_t>& dims) const {
  ort::Value* value = nullptr;
  check(api_, api_.KernelContext_GetOutput(context_, index, dims.data(), dims.size(), &value));
  void* data = nullptr;
  check(api_, api_.GetTensorMutableData(value, &data));
  return static_cast<float*>(data);
}

Threads Call::threads() const {
  return {[](void* state, int64_t count, void (*body)(void*, int64_t), void* body_state) {
            struct Work {
              void (*body)(void*, int64_t);
              void* state;
            } work = {body, body_state};
            auto& call = *static_cast<const Call*>(state);
            auto run = [](void* given, size_t part) {
              auto& [function, argument] = *static_cast<Work*>(given);
              function(argument, static_cast<int64_t>(part));
            };
            constexpr size_t batches_by_runtime = 0;
            check(call.api_, call.api_.KernelContext_ParallelFor(call.context_, run, static_cast<size_t>(count),
                                                                 batches_by_runtime, &work));
          },
          const_cast<Call*>(this)};
}

Operator make_operator(const char* name, std::vector<Port> inputs, std::vector<Port> outputs,
                       std::unique_ptr<Node> (*create)(const Attributes&)) {
  Operator op{};
  op.version = operator_api_version;
  op.GetName = get_name;
  op.GetExecutionProviderType = cpu_provider;
  op.GetInputType = input_type;
  op.GetInputTypeCount = input_count;
  op.GetOutputType = output_type;
  op.GetOutputTypeCount = output_count;
  op.KernelDestroy = destroy;
  op.GetInputCharacteristic = input_characteristic;
  op.GetOutputCharacteristic = output_characteristic;
  op.GetInputMemoryType = memory_type;
  op.GetVariadicInputMinArity = one;
  op.GetVariadicInputHomogeneity = one;
  op.GetVariadicOutputMinArity = one;
  op.GetVariadicOutputHomogeneity = one;
  op.CreateKernelV2 = create_kernel;
  op.KernelComputeV2 = compute;
  op.GetStartVersion = one;
  op.GetEndVersion = any_version;
  op.name = name;
  op.inputs = std::move(inputs);
  op.outputs = std::move(outputs);
  op.create = create;
  return op;
}

void expect_dims(const char* what, const std::vector<int64_t>& found, const std::vector<int64_t>& expected) {
  if (found != expected)
    throw std::invalid_argument(std::string(what) + " has shape " + shape_text(found) + ", expected " +
                                shape_text(expected));
}

}  // namespace halftone::ops
