// Tensors between JavaScript ({type, dims, data}) and the runtime. Inputs share the caller's memory.
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "session_runtime.h"

namespace halftone {

struct ElementFormat {
  const char* name;  // as in kernels.ts `dataTypes`
  ort::ElementType type;
  napi_typedarray_type array;
  int array_bytes;  // of one element of the typed array
  int bits;         // of one element of the tensor
};

// nullptr for types that cannot cross (strings, complex numbers).
const ElementFormat* find_format(ort::ElementType type);
// The type's name, also for types that cannot cross.
std::string type_name(ort::ElementType type);

ort::ElementType element_type(const ort::TensorInfo* info);

struct TensorView {
  const ElementFormat* format;
  std::vector<int64_t> dims;
  void* data;
  size_t bytes;
};

// Checks {type, dims, data}; throws a JavaScript error that begins with `what`.
TensorView read_tensor(const Napi::Value& value, const std::string& what);
// A runtime value over the view's memory.
Owned<ort::Value> wrap_tensor(const TensorView& view);

struct Described {
  const ElementFormat* format;
  std::vector<int64_t> dims;
  size_t bytes;
  const void* data;
};
// Type, shape and memory of a tensor the runtime made; `what` names it in errors.
Described describe(ort::Value* value, const std::string& what);
// A JavaScript tensor of that description, its memory not filled yet and given in `data`.
Napi::Object new_tensor(Napi::Env env, const Described& described, void** data);

}  // namespace halftone
