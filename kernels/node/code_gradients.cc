// codeGradients(gradient, codes, {rows, cols}, {group, middle, step}, scales, ofCodes, sums, products): Promise<void>
#include "../simd/code_gradients.h"

#include "arguments.h"
#include "task.h"

namespace halftone {

static Napi::Value code_gradients_async(const Napi::CallbackInfo& info) {
  const auto [rows, cols] = shape_of(info[2]);
  const auto given = info[3].As<Napi::Object>();
  const int64_t group = extent(given.Get("group"), "codeGradients: group");
  if (cols % group != 0) throw Napi::RangeError::New(info.Env(), "codeGradients: found " + std::to_string(cols) + " columns, expected a multiple of the group, " + std::to_string(group));
  const CodeGroups groups = {rows, cols, group, given.Get("middle").ToNumber().FloatValue(), given.Get("step").ToNumber().FloatValue()};
  const size_t count = static_cast<size_t>(rows * cols), parts = static_cast<size_t>(rows * (cols / group));
  const float* gradient = data_of<float>(info[0], count, "codeGradients: gradient");
  const uint8_t* codes = data_of<uint8_t>(info[1], count, "codeGradients: codes");
  const float* scales = data_of<float>(info[4], parts, "codeGradients: scales");
  float* of_codes = data_of<float>(info[5], count, "codeGradients: ofCodes");
  float* sums = data_of<float>(info[6], parts, "codeGradients: sums");
  float* products = data_of<float>(info[7], parts, "codeGradients: products");
  return run_task(info.Env(), {info[0], info[1], info[4], info[5], info[6], info[7]}, [=] { code_gradients(gradient, codes, groups, scales, of_codes, sums, products); });
}

void add_code_gradients(Napi::Env env, Napi::Object exports) { exports.Set("codeGradients", Napi::Function::New(env, code_gradients_async)); }

}  // namespace halftone
