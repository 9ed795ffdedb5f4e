// The addon's table of contents: one initializer per file of this folder.
#include <napi.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "../simd/pool.h"

namespace halftone {

void add_codec_planes(Napi::Env env, Napi::Object exports);
void add_adam_step(Napi::Env env, Napi::Object exports);
void add_codecs(Napi::Env env, Napi::Object exports);
void add_linalg(Napi::Env env, Napi::Object exports);
void add_memory(Napi::Env env, Napi::Object exports);
void add_scoring(Napi::Env env, Napi::Object exports);
void add_session(Napi::Env env, Napi::Object exports);
void add_weighted_error(Napi::Env env, Napi::Object exports);

// Allocations of this size are mapped by themselves and go back to the system when they are freed.
constexpr int mapped_bytes = 4 << 20;
// Freed memory that an arena of smaller ones keeps.
constexpr int kept_bytes = 16 << 20;

// The C library's own thresholds grow with what is freed: matrices of tens of megabytes would then be cut from the
// arenas of the threads, which keep them.
static void set_allocator() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, mapped_bytes);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
#endif
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  set_allocator();
  exports.Set("setThreads", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { set_threads(info[0].As<Napi::Number>().Int32Value()); }));
  add_codec_planes(env, exports);
  add_adam_step(env, exports);
  add_codecs(env, exports);
  add_linalg(env, exports);
  add_memory(env, exports);
  add_scoring(env, exports);
  add_session(env, exports);
  add_weighted_error(env, exports);
  return exports;
}

}  // namespace halftone

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return halftone::init(env, exports); }
NODE_API_MODULE(halftone, init_addon)
