// gptq(codec, {rows, cols}, weights, factor, importance | null, options, out)
#include "../simd/gptq.h"
#include "arguments.h"
#include "linalg.h"
#include "task.h"

namespace halftone {
namespace {

int count_option(const Napi::Object& options, const char* name, int otherwise) {
  Napi::Value value = options.Get(name);
  return value.IsUndefined() ? otherwise : static_cast<int>(extent(value, name, 0));
}

Napi::Value gptq_js(const Napi::CallbackInfo& info) {
  auto name = info[0].ToString().Utf8Value();
  const Codec* codec = find_codec(name);
  if (!codec) throw Napi::RangeError::New(info.Env(), "gptq: no such codec: " + name);
  auto [rows, cols] = shape_of(info[1]);
  int64_t block = codec->block ? codec->block : cols;
  if (cols % block != 0) throw Napi::RangeError::New(info.Env(), "gptq: " + std::to_string(cols) + " columns are not a multiple of the block of " + name);
  auto* weights = data_of<float>(info[2], rows * cols, "weights");
  auto* factor = data_of<float>(info[3], cols * cols, "factor");
  auto* importance = data_or_null<float>(info[4], cols, "importance");
  auto given = info[5].As<Napi::Object>();
  auto* out = data_of<uint8_t>(info[6], rows * row_bytes(*codec, cols), "out");

  GptqOptions options;
  options.static_groups = given.Get("staticGroups").ToBoolean();
  if (given.Get("fit").IsString() && given.Get("fit").ToString().Utf8Value() == "nearest") options.fit = Fit::nearest;
  options.descents = count_option(given, "descents", options.descents);
  options.restarts = count_option(given, "restarts", 0);
  options.sweep_restarts = count_option(given, "srestarts", 0);
  options.refits = count_option(given, "refits", options.refits);
  Napi::Value hessian = given.Get("hessian");
  options.hessian = data_or_null<double>(hessian, cols * cols, "hessian");
  options.sweeps = options.hessian ? count_option(given, "sweeps", 1) : 0;
  if (given.Get("damp").IsNumber()) options.damp = given.Get("damp").ToNumber().DoubleValue();
  return run_task(info.Env(), {info[2], info[3], info[4], hessian, info[6]},
                  [=, rows = rows, cols = cols] { gptq(*codec, rows, cols, weights, factor, importance, options, out); });
}

}  // namespace

void add_gptq(Napi::Env env, Napi::Object exports) { exports.Set("gptq", Napi::Function::New(env, gptq_js)); }

}  // namespace halftone
