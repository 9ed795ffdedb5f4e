#include "task.h"

#include "../simd/priority.h"

namespace halftone {
namespace {

class Task : public Napi::AsyncWorker {
 public:
  Task(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work, std::function<Napi::Value(Napi::Env)> settle)
      : Napi::AsyncWorker(env), work_(std::move(work)), settle_(std::move(settle)), deferred_(Napi::Promise::Deferred::New(env)) {
    auto kept = Napi::Array::New(env, keep.size());
    for (size_t i = 0; i < keep.size(); i++) kept.Set(static_cast<uint32_t>(i), keep[i]);
    kept_ = Napi::Persistent(kept.As<Napi::Object>());
  }

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override {
    step_back();
    work_();
  }
  void OnOK() override {
    try {
      deferred_.Resolve(settle_(Env()));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> settle_;
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference kept_;
};

}  // namespace

Napi::Promise run_task(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work, std::function<Napi::Value(Napi::Env)> settle) {
  auto* task = new Task(env, std::move(keep), std::move(work), std::move(settle));  // Node-API deletes it when it is done
  auto promise = task->promise();
  task->Queue();
  return promise;
}

}  // namespace halftone
