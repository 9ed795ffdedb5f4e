// Numbers and shapes given by JavaScript, checked.
#pragma once
#include <napi.h>

#include <string>
#include <utility>

namespace halftone {

// A whole number in [least, 2^31): products of two fit in 64 bits.
inline int64_t extent(const Napi::Value& value, const char* what, int64_t least = 1) {
  double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= static_cast<double>(least) && number < 2147483648.0) || number != static_cast<double>(static_cast<int64_t>(number))) {
    throw Napi::RangeError::New(value.Env(), std::string(what) + ": expected a whole number, " + std::to_string(least) + " or more, found " + value.ToString().Utf8Value());
  }
  return static_cast<int64_t>(number);
}

// { rows, cols }
inline std::pair<int64_t, int64_t> shape_of(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "shape: expected { rows, cols }");
  auto shape = value.As<Napi::Object>();
  return {extent(shape.Get("rows"), "rows"), extent(shape.Get("cols"), "cols")};
}

}  // namespace halftone
