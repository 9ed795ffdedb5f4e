// Runs a native function off the event loop and settles a promise. Inputs stay alive until it is done.
#pragma once
#include <napi.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace halftone {

// `work` runs on a worker thread and must not touch JavaScript; `settle` runs on the event loop and gives the result.
// Exceptions of `work` (std::exception) reject the promise. `keep` are the JavaScript values whose memory `work` uses.
Napi::Promise run_task(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work,
                       std::function<Napi::Value(Napi::Env)> settle = [](Napi::Env env) { return env.Undefined(); });

// A typed array's memory, checked for element type and least length; throws a JavaScript TypeError that names `what`.
template <typename T>
T* data_of(const Napi::Value& value, size_t least, const char* what);

// null and undefined give nullptr.
template <typename T>
T* data_or_null(const Napi::Value& value, size_t least, const char* what) {
  return value.IsNull() || value.IsUndefined() ? nullptr : data_of<T>(value, least, what);
}

template <typename T> constexpr napi_typedarray_type typed_array_type();
template <> constexpr napi_typedarray_type typed_array_type<float>() { return napi_float32_array; }
template <> constexpr napi_typedarray_type typed_array_type<double>() { return napi_float64_array; }
template <> constexpr napi_typedarray_type typed_array_type<uint8_t>() { return napi_uint8_array; }
template <> constexpr napi_typedarray_type typed_array_type<uint16_t>() { return napi_uint16_array; }
template <> constexpr napi_typedarray_type typed_array_type<int32_t>() { return napi_int32_array; }
template <> constexpr napi_typedarray_type typed_array_type<uint32_t>() { return napi_uint32_array; }

template <typename T>
T* data_of(const Napi::Value& value, size_t least, const char* what) {
  if (!value.IsTypedArray()) throw Napi::TypeError::New(value.Env(), std::string(what) + ": expected a typed array");
  auto array = value.As<Napi::TypedArray>();
  if (array.TypedArrayType() != typed_array_type<T>()) throw Napi::TypeError::New(value.Env(), std::string(what) + ": wrong element type");
  if (array.ElementLength() < least) {
    throw Napi::RangeError::New(value.Env(), std::string(what) + ": has " + std::to_string(array.ElementLength()) + " elements, needs " + std::to_string(least));
  }
  return reinterpret_cast<T*>(static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset());
}

}  // namespace halftone
