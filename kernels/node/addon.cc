// The addon's table of contents: one initializer per file of this folder.
#include <napi.h>

#include "../simd/pool.h"
#include "allocator.h"

namespace halftone {

void add_codec_planes(Napi::Env env, Napi::Object exports);
void add_adam_step(Napi::Env env, Napi::Object exports);
void add_codecs(Napi::Env env, Napi::Object exports);
void add_linalg(Napi::Env env, Napi::Object exports);
void add_memory(Napi::Env env, Napi::Object exports);
void add_code_gradients(Napi::Env env, Napi::Object exports);
void add_moved_codes(Napi::Env env, Napi::Object exports);
void add_scoring(Napi::Env env, Napi::Object exports);
void add_session(Napi::Env env, Napi::Object exports);
void add_weighted_error(Napi::Env env, Napi::Object exports);

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  give_back_memory();
  exports.Set("setThreads", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { set_threads(info[0].As<Napi::Number>().Int32Value()); }));
  add_codec_planes(env, exports);
  add_adam_step(env, exports);
  add_codecs(env, exports);
  add_linalg(env, exports);
  add_memory(env, exports);
  add_code_gradients(env, exports);
  add_moved_codes(env, exports);
  add_scoring(env, exports);
  add_session(env, exports);
  add_weighted_error(env, exports);
  return exports;
}

}  // namespace halftone

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return halftone::init(env, exports); }
NODE_API_MODULE(halftone, init_addon)
