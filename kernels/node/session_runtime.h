// The ONNX Runtime library that onnxruntime-node ships, opened by path and never linked: a linked symbol would carry
// the version of one release. One environment a process; it lives until the process ends.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ort_api.h"

namespace halftone {

struct Runtime {
  void* handle;
  const ort::Api* api;
  std::string version;
  ort::Env* env;
  ort::MemoryInfo* memory;
  ort::CustomOpDomain* domain;  // with the operators of ops/
};

// Opens the library at `path` and turns its telemetry off. A second call gives the runtime already open.
const Runtime& open_runtime(const std::string& path);
// The open runtime; throws std::runtime_error before open_runtime.
const Runtime& runtime();
// A function exported by the library, or nullptr.
void* runtime_symbol(const Runtime& runtime, const char* name);
// Throws std::runtime_error with the runtime's own message and frees the status.
void check(ort::Status* status);

struct Releaser {
  void operator()(ort::Session* it) const { runtime().api->ReleaseSession(it); }
  void operator()(ort::SessionOptions* it) const { runtime().api->ReleaseSessionOptions(it); }
  void operator()(ort::RunOptions* it) const { runtime().api->ReleaseRunOptions(it); }
  void operator()(ort::Value* it) const { runtime().api->ReleaseValue(it); }
  void operator()(ort::TensorInfo* it) const { runtime().api->ReleaseTensorTypeAndShapeInfo(it); }
  void operator()(ort::TypeInfo* it) const { runtime().api->ReleaseTypeInfo(it); }
  void operator()(ort::CudaOptions* it) const { runtime().api->ReleaseCUDAProviderOptions(it); }
};
template <typename T>
using Owned = std::unique_ptr<T, Releaser>;

}  // namespace halftone
