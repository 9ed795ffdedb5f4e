#include "session_tensor.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

namespace halftone {
namespace {

// Strings and complex numbers are missing: the runtime has no complex tensors, and strings do not lie in typed arrays.
constexpr ElementFormat formats[] = {
    {"float32", ort::type_float32, napi_float32_array, 4, 32},
    {"uint8", ort::type_uint8, napi_uint8_array, 1, 8},
    {"int8", ort::type_int8, napi_int8_array, 1, 8},
    {"uint16", ort::type_uint16, napi_uint16_array, 2, 16},
    {"int16", ort::type_int16, napi_int16_array, 2, 16},
    {"int32", ort::type_int32, napi_int32_array, 4, 32},
    {"int64", ort::type_int64, napi_bigint64_array, 8, 64},
    {"bool", ort::type_bool, napi_uint8_array, 1, 8},
    {"float16", ort::type_float16, napi_uint16_array, 2, 16},
    {"float64", ort::type_float64, napi_float64_array, 8, 64},
    {"uint32", ort::type_uint32, napi_uint32_array, 4, 32},
    {"uint64", ort::type_uint64, napi_biguint64_array, 8, 64},
    {"bfloat16", ort::type_bfloat16, napi_uint16_array, 2, 16},
    {"float8e4m3fn", ort::type_float8e4m3fn, napi_uint8_array, 1, 8},
    {"float8e4m3fnuz", ort::type_float8e4m3fnuz, napi_uint8_array, 1, 8},
    {"float8e5m2", ort::type_float8e5m2, napi_uint8_array, 1, 8},
    {"float8e5m2fnuz", ort::type_float8e5m2fnuz, napi_uint8_array, 1, 8},
    {"uint4", ort::type_uint4, napi_uint8_array, 1, 4},
    {"int4", ort::type_int4, napi_uint8_array, 1, 4},
    {"float4e2m1", ort::type_float4e2m1, napi_uint8_array, 1, 4},
    {"float8e8m0", ort::type_float8e8m0, napi_uint8_array, 1, 8},
    {"uint2", ort::type_uint2, napi_uint8_array, 1, 2},
    {"int2", ort::type_int2, napi_uint8_array, 1, 2},
};

// Elements of a tensor no machine can hold: keeps products of hostile dimensions inside 64 bits.
constexpr double most_elements = 9e15;

[[noreturn]] void refuse(Napi::Env env, const std::string& message) { throw Napi::TypeError::New(env, message); }

size_t bytes_of(const ElementFormat& format, size_t elements) {
  return (elements * static_cast<size_t>(format.bits) + 7) / 8;
}

std::string shape_text(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); i++) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

const ElementFormat& read_format(const Napi::Value& value, const std::string& what) {
  if (!value.IsString()) refuse(value.Env(), what + ": `type` is not a string");
  std::string name = value.As<Napi::String>();
  auto found = std::find_if(std::begin(formats), std::end(formats),
                            [&](const ElementFormat& format) { return name == format.name; });
  if (found == std::end(formats)) refuse(value.Env(), what + ": tensors of type " + name + " cannot be passed");
  return *found;
}

std::vector<int64_t> read_dims(const Napi::Value& value, const std::string& what) {
  if (!value.IsArray()) refuse(value.Env(), what + ": `dims` is not an array");
  auto array = value.As<Napi::Array>();
  std::vector<int64_t> dims(array.Length());
  double elements = 1;
  for (uint32_t i = 0; i < dims.size(); i++) {
    Napi::Value item = array[i];
    double dim = item.IsNumber() ? item.As<Napi::Number>().DoubleValue() : -1;
    elements *= std::max(1.0, dim);
    if (!(dim >= 0) || dim != std::floor(dim) || elements > most_elements)
      refuse(value.Env(), what + ": dimension " + std::to_string(i) + " is not a size");
    dims[i] = static_cast<int64_t>(dim);
  }
  return dims;
}

size_t elements_of(const std::vector<int64_t>& dims) {
  size_t elements = 1;
  for (int64_t dim : dims) elements *= static_cast<size_t>(dim);
  return elements;
}

}  // namespace

const ElementFormat* find_format(ort::ElementType type) {
  auto found = std::find_if(std::begin(formats), std::end(formats),
                            [&](const ElementFormat& format) { return format.type == type; });
  return found == std::end(formats) ? nullptr : found;
}

std::string type_name(ort::ElementType type) {
  if (const auto* format = find_format(type)) return format->name;
  return type == ort::type_string ? "string" : "no tensor";
}

TensorView read_tensor(const Napi::Value& value, const std::string& what) {
  if (!value.IsObject()) refuse(value.Env(), what + ": expected a tensor {type, dims, data}");
  auto tensor = value.As<Napi::Object>();
  TensorView view;
  view.format = &read_format(tensor.Get("type"), what);
  view.dims = read_dims(tensor.Get("dims"), what);
  Napi::Value data = tensor.Get("data");
  if (!data.IsTypedArray()) refuse(value.Env(), what + ": `data` is not a typed array");
  napi_typedarray_type array;
  size_t length;
  if (napi_get_typedarray_info(value.Env(), data, &array, &length, &view.data, nullptr, nullptr) != napi_ok)
    refuse(value.Env(), what + ": `data` cannot be read");
  if (array != view.format->array)
    refuse(value.Env(), what + ": `data` is not the kind of typed array that holds " + view.format->name);
  view.bytes = length * static_cast<size_t>(view.format->array_bytes);
  size_t needed = bytes_of(*view.format, elements_of(view.dims));
  if (view.bytes != needed) {
    refuse(value.Env(), what + ": `data` has " + std::to_string(view.bytes) + " bytes, " + shape_text(view.dims) +
                            " of " + view.format->name + " needs " + std::to_string(needed));
  }
  return view;
}

ort::ElementType element_type(const ort::TensorInfo* info) {
  ort::ElementType number;
  check(runtime().api->GetTensorElementType(info, &number));
  return ort::reported(number);
}

Owned<ort::Value> wrap_tensor(const TensorView& view) {
  static char nothing[16];  // an empty tensor still needs an address
  ort::Value* value = nullptr;
  check(runtime().api->CreateTensorWithDataAsOrtValue(runtime().memory, view.bytes ? view.data : nothing, view.bytes,
                                                      view.dims.data(), view.dims.size(), view.format->type, &value));
  return Owned<ort::Value>(value);
}

Described describe(ort::Value* value, const std::string& what) {
  const auto& api = *runtime().api;
  int is_tensor = 0;
  check(api.IsTensor(value, &is_tensor));
  if (!is_tensor) throw std::runtime_error(what + " is not a tensor");
  ort::TensorInfo* raw = nullptr;
  check(api.GetTensorTypeAndShape(value, &raw));
  Owned<ort::TensorInfo> info(raw);
  ort::ElementType type = element_type(raw);
  size_t rank, elements;
  check(api.GetDimensionsCount(raw, &rank));
  check(api.GetTensorShapeElementCount(raw, &elements));
  Described described;
  described.format = find_format(type);
  if (!described.format) throw std::runtime_error(what + ": tensors of type " + type_name(type) + " cannot be passed");
  described.dims.resize(rank);
  check(api.GetDimensions(raw, described.dims.data(), rank));
  described.bytes = bytes_of(*described.format, elements);
  void* data = nullptr;
  check(api.GetTensorMutableData(value, &data));
  described.data = data;
  return described;
}

Napi::Object new_tensor(Napi::Env env, const Described& described, void** data) {
  auto buffer = Napi::ArrayBuffer::New(env, described.bytes);
  *data = buffer.Data();
  napi_value array;
  size_t length = described.bytes / static_cast<size_t>(described.format->array_bytes);
  NAPI_THROW_IF_FAILED(env, napi_create_typedarray(env, described.format->array, length, buffer, 0, &array),
                       Napi::Object());
  auto dims = Napi::Array::New(env, described.dims.size());
  for (uint32_t i = 0; i < described.dims.size(); i++) dims.Set(i, static_cast<double>(described.dims[i]));
  auto tensor = Napi::Object::New(env);
  tensor.Set("type", described.format->name);
  tensor.Set("dims", dims);
  tensor.Set("data", Napi::Value(env, array));
  return tensor;
}

}  // namespace halftone
