// adamStep(params, grads, m, v, {lr, beta1, beta2, epsilon, weightDecay, step}): Promise<void>
#include "../simd/adam_step.h"

#include "task.h"

namespace halftone {

static double number_of(const Napi::Object& options, const char* name, double least, double below) {
  Napi::Value value = options.Get(name);
  double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= least && number < below))
    throw Napi::RangeError::New(options.Env(), std::string("adamStep: ") + name + " is " +
                                                   value.ToString().Utf8Value() + ", which is no value for it");
  return number;
}

static Napi::Value adam_step_async(const Napi::CallbackInfo& info) {
  constexpr double unbounded = 1e300, most_steps = 1e15;
  if (!info[0].IsTypedArray() || !info[4].IsObject())
    throw Napi::TypeError::New(info.Env(), "adamStep: expected four arrays and options");
  size_t count = info[0].As<Napi::TypedArray>().ElementLength();
  auto given = info[4].As<Napi::Object>();
  AdamOptions options = {number_of(given, "lr", 0, unbounded),
                         number_of(given, "beta1", 0, 1),
                         number_of(given, "beta2", 0, 1),
                         number_of(given, "epsilon", 0, unbounded),
                         number_of(given, "weightDecay", 0, unbounded),
                         static_cast<int64_t>(number_of(given, "step", 1, most_steps))};
  float* params = data_of<float>(info[0], count, "adamStep: params");
  const float* grads = data_of<float>(info[1], count, "adamStep: grads");
  float* m = data_of<float>(info[2], count, "adamStep: m");
  float* v = data_of<float>(info[3], count, "adamStep: v");
  return run_task(info.Env(), {info[0], info[1], info[2], info[3]},
                  [=] { adam_step(params, grads, m, v, static_cast<int64_t>(count), options); });
}

void add_adam_step(Napi::Env env, Napi::Object exports) {
  exports.Set("adamStep", Napi::Function::New(env, adam_step_async));
}

}  // namespace halftone
