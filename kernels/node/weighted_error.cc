// weightedError(a, b, {rows, cols}, rowWeights | null, columnWeights | null): Promise<number>
#include "../simd/weighted_error.h"

#include <memory>

#include "task.h"

namespace halftone {

static Napi::Value weighted_error_async(const Napi::CallbackInfo& info) {
  auto shape = info[2].As<Napi::Object>();
  int64_t rows = shape.Get("rows").As<Napi::Number>().Int64Value();
  int64_t cols = shape.Get("cols").As<Napi::Number>().Int64Value();
  size_t count = static_cast<size_t>(rows) * static_cast<size_t>(cols);
  const float* a = data_of<float>(info[0], count, "weightedError: a");
  const float* b = data_of<float>(info[1], count, "weightedError: b");
  const double* row_weights = data_or_null<double>(info[3], static_cast<size_t>(rows), "weightedError: row weights");
  const float* column_weights = data_or_null<float>(info[4], static_cast<size_t>(cols), "weightedError: column weights");
  auto result = std::make_shared<double>();
  return run_task(
      info.Env(), {info[0], info[1], info[3], info[4]},
      [=] { *result = weighted_error(a, b, rows, cols, row_weights, column_weights); },
      [=](Napi::Env env) { return Napi::Number::New(env, *result); });
}

void add_weighted_error(Napi::Env env, Napi::Object exports) { exports.Set("weightedError", Napi::Function::New(env, weighted_error_async)); }

}  // namespace halftone
