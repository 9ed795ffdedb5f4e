// gptq(codec, {rows, cols}, weights, factor, importance | null, options, out): Promise<void>; reference.gptq, synchronous.
#include "../simd/gptq.h"

#include <tuple>

#include "../reference/gptq.h"
#include "arguments.h"
#include "linalg.h"
#include "task.h"

namespace halftone {
namespace {

int count_option(const Napi::Object& options, const char* name, int otherwise) {
  Napi::Value value = options.Get(name);
  return value.IsUndefined() ? otherwise : static_cast<int>(extent(value, name, 0));
}

// codec, shape, weights, factor, importance | null, options, out: the arguments of both gptq and its reference.
struct Arguments {
  const Codec* codec;
  int64_t rows, cols;
  const float *weights, *factor, *importance;
  GptqOptions options;
  uint8_t* out;

  explicit Arguments(const Napi::CallbackInfo& info) {
    auto name = info[0].ToString().Utf8Value();
    codec = find_codec(name);
    if (!codec) throw Napi::RangeError::New(info.Env(), "gptq: no such codec: " + name);
    std::tie(rows, cols) = shape_of(info[1]);
    if (codec->block && cols % codec->block != 0) {
      throw Napi::RangeError::New(info.Env(), "gptq: " + std::to_string(cols) + " columns are not a multiple of " + name + "'s block of " + std::to_string(codec->block));
    }
    weights = data_of<float>(info[2], rows * cols, "weights");
    factor = data_of<float>(info[3], cols * cols, "factor");
    importance = data_or_null<float>(info[4], cols, "importance");
    out = data_of<uint8_t>(info[6], rows * row_bytes(*codec, cols), "out");
    if (!info[5].IsObject()) throw Napi::TypeError::New(info.Env(), "options: expected an object");
    auto given = info[5].As<Napi::Object>();
    options.static_groups = given.Get("staticGroups").ToBoolean();
    if (given.Get("fit").ToString().Utf8Value() == "nearest") options.fit = Fit::nearest;
    if (given.Has("improve")) options.improve = given.Get("improve").ToBoolean();
    options.restarts = count_option(given, "restarts", options.restarts);
    options.hessian = data_or_null<double>(given.Get("hessian"), cols * cols, "hessian");
    options.sweeps = count_option(given, "sweeps", options.sweeps);
    if (given.Get("damp").IsNumber()) options.damp = given.Get("damp").ToNumber().DoubleValue();
  }
};

Napi::Value gptq_js(const Napi::CallbackInfo& info) {
  Arguments a(info);
  return run_task(info.Env(), {info[2], info[3], info[4], info[5].As<Napi::Object>().Get("hessian"), info[6]},
                  [=] { gptq(*a.codec, a.rows, a.cols, a.weights, a.factor, a.importance, a.options, a.out); });
}

void gptq_reference_js(const Napi::CallbackInfo& info) {
  Arguments a(info);
  reference::gptq(*a.codec, a.rows, a.cols, a.weights, a.factor, a.importance, a.options.static_groups, a.options.fit, a.out);
}

}  // namespace

void add_gptq(Napi::Env env, Napi::Object exports) {
  exports.Set("gptq", Napi::Function::New(env, gptq_js));
  exports.Get("reference").As<Napi::Object>().Set("gptq", Napi::Function::New(env, gptq_reference_js));
}

}  // namespace halftone
