// The plain definitions of the dense kernels, synchronous, as `reference`: what tests compare the fast ones with.
#include "../reference/linalg.h"
#include "arguments.h"
#include "linalg.h"
#include "task.h"

namespace halftone {
namespace {

Napi::Value array_of(Napi::Env env, const reference::Doubles& values) {
  auto array = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Value matmul_js(const Napi::CallbackInfo& info) {
  int64_t m = extent(info[2], "m"), n = extent(info[3], "n"), k = extent(info[4], "k");
  auto* a = data_of<float>(info[0], m * k, "a");
  auto* b = data_of<float>(info[1], k * n, "b");
  return array_of(info.Env(), reference::matmul(a, b, m, n, k, info[5].ToBoolean(), info[6].ToBoolean()));
}

Napi::Value gram_js(const Napi::CallbackInfo& info) {
  int64_t tokens = extent(info[1], "tokens"), cols = extent(info[2], "cols");
  return array_of(info.Env(), reference::gram(data_of<float>(info[0], tokens * cols, "x"), tokens, cols));
}

Napi::Value cholesky_js(const Napi::CallbackInfo& info) {
  int64_t n = extent(info[1], "n");
  auto* matrix = data_of<double>(info[0], n * n, "matrix");
  return array_of(info.Env(), reference::cholesky(reference::Doubles(matrix, matrix + n * n), n));
}

Napi::Value inverse_factor_js(const Napi::CallbackInfo& info) {
  int64_t n = extent(info[1], "n");
  auto* hessian = data_of<double>(info[0], n * n, "hessian");
  return array_of(info.Env(), reference::inverse_factor(hessian, n, info[2].ToNumber().DoubleValue()));
}

Napi::Value output_error_js(const Napi::CallbackInfo& info) {
  auto [rows, cols] = shape_of(info[2]);
  auto* a = data_of<float>(info[0], rows * cols, "a");
  auto* b = data_of<float>(info[1], rows * cols, "b");
  auto* hessian = data_of<double>(info[3], cols * cols, "hessian");
  return Napi::Number::New(info.Env(), reference::output_error(a, b, rows, cols, hessian));
}

}  // namespace

void add_linalg_reference(Napi::Env env, Napi::Object exports) {
  auto object = Napi::Object::New(env);
  object.Set("matmul", Napi::Function::New(env, matmul_js));
  object.Set("gram", Napi::Function::New(env, gram_js));
  object.Set("cholesky", Napi::Function::New(env, cholesky_js));
  object.Set("inverseFactor", Napi::Function::New(env, inverse_factor_js));
  object.Set("outputError", Napi::Function::New(env, output_error_js));
  exports.Set("reference", object);
}

}  // namespace halftone
