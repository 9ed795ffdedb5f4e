// Dense linear algebra: accumulate, inverseFactor, cholesky, outputError, matmul, simd.
#include "../simd/cholesky.h"
#include "../simd/cpu.h"
#include "../simd/gemm.h"
#include "../simd/gram.h"
#include "../simd/output_error.h"
#include "arguments.h"
#include "linalg.h"
#include "task.h"

namespace halftone {
namespace {

Napi::Value accumulate_js(const Napi::CallbackInfo& info) {
  int64_t tokens = extent(info[1], "tokens", 0), cols = extent(info[2], "cols");
  auto* x = data_of<float>(info[0], tokens * cols, "x");
  auto* hessian = data_of<double>(info[3], cols * cols, "hessian");
  auto* absolute = data_of<double>(info[4], cols, "absolute");
  auto* maximum = data_of<float>(info[5], cols, "maximum");
  auto left_out = std::make_shared<int64_t>(0);
  return run_task(
      info.Env(), {info[0], info[3], info[4], info[5]}, [=] { *left_out = accumulate(x, tokens, cols, hessian, absolute, maximum); },
      [=](Napi::Env env) { return Napi::Number::New(env, static_cast<double>(*left_out)); });
}

Napi::Value inverse_factor_js(const Napi::CallbackInfo& info) {
  int64_t n = extent(info[1], "n");
  double damp = info[2].As<Napi::Number>().DoubleValue();
  if (!(damp >= 0)) throw Napi::RangeError::New(info.Env(), "damp: expected a number that is not negative");
  auto* hessian = data_of<double>(info[0], n * n, "hessian");
  auto* out = data_of<float>(info[3], n * n, "out");
  auto used = std::make_shared<double>(damp);
  return run_task(
      info.Env(), {info[0], info[3]}, [=] { *used = inverse_factor(hessian, n, damp, out); },
      [=](Napi::Env env) { return Napi::Number::New(env, *used); });
}

Napi::Value cholesky_js(const Napi::CallbackInfo& info) {
  int64_t n = extent(info[1], "n");
  auto* matrix = data_of<float>(info[0], n * n, "matrix");
  return run_task(info.Env(), {info[0]}, [=] {
    if (!cholesky(matrix, n)) throw std::runtime_error("cholesky: the matrix [" + std::to_string(n) + ", " + std::to_string(n) + "] is not positive definite");
  });
}

Napi::Value output_error_js(const Napi::CallbackInfo& info) {
  auto [rows, cols] = shape_of(info[2]);
  auto* a = data_of<float>(info[0], rows * cols, "a");
  auto* b = data_of<float>(info[1], rows * cols, "b");
  auto* hessian = data_of<double>(info[3], cols * cols, "hessian");
  auto error = std::make_shared<double>(0);
  return run_task(
      info.Env(), {info[0], info[1], info[3]}, [=, rows = rows, cols = cols] { *error = output_error(a, b, rows, cols, hessian); },
      [=](Napi::Env env) { return Napi::Number::New(env, *error); });
}

Napi::Value matmul_js(const Napi::CallbackInfo& info) {
  int64_t m = extent(info[2], "m"), n = extent(info[3], "n"), k = extent(info[4], "k");
  bool transpose_a = info[5].ToBoolean(), transpose_b = info[6].ToBoolean();
  auto* a = data_of<float>(info[0], m * k, "a");
  auto* b = data_of<float>(info[1], k * n, "b");
  auto* c = data_of<float>(info[7], m * n, "c");
  View<float> left{a, transpose_a ? 1 : k, transpose_a ? m : 1}, right{b, transpose_b ? 1 : n, transpose_b ? k : 1};
  return run_task(info.Env(), {info[0], info[1], info[7]}, [=] { gemm<float>({m, n, k, 1, left, right, c, n}); });
}

void set_simd_js(const Napi::CallbackInfo& info) {
  auto name = info[0].ToString().Utf8Value();
  if (!set_simd(name.c_str())) throw Napi::RangeError::New(info.Env(), "setSimd: this machine has no \"" + name + "\"");
}

Napi::Value simd_sets_js(const Napi::CallbackInfo& info) {
  auto names = Napi::Array::New(info.Env());
  for (Simd set : simd_sets()) names.Set(names.Length(), simd_name(set));
  return names;
}

// A set asked for by the environment and not there would go unnoticed, and its results be taken for that set's.
void check_environment(Napi::Env env) {
  const char* wanted = std::getenv("HALFTONE_SIMD");
  if (wanted && !set_simd(wanted)) throw Napi::Error::New(env, "HALFTONE_SIMD: this machine has no \"" + std::string(wanted) + "\"");
}

}  // namespace

void add_linalg(Napi::Env env, Napi::Object exports) {
  check_environment(env);
  exports.Set("accumulate", Napi::Function::New(env, accumulate_js));
  exports.Set("inverseFactor", Napi::Function::New(env, inverse_factor_js));
  exports.Set("cholesky", Napi::Function::New(env, cholesky_js));
  exports.Set("outputError", Napi::Function::New(env, output_error_js));
  exports.Set("matmul", Napi::Function::New(env, matmul_js));
  exports.Set("simd", Napi::Function::New(env, [](const Napi::CallbackInfo& call) { return Napi::String::New(call.Env(), simd_name(simd())); }));
  exports.Set("simdSets", Napi::Function::New(env, simd_sets_js));
  exports.Set("setSimd", Napi::Function::New(env, set_simd_js));
  add_linalg_reference(env, exports);
  add_gptq(env, exports);
  add_low_rank(env, exports);
}

}  // namespace halftone
