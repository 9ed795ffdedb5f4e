// release(arrays): Promise<void>. Gives the memory of typed arrays back at once; they are empty afterwards.
#include <cstdint>
#include <memory>

#include "task.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace halftone {
namespace {

struct Span {
  void* data;
  size_t bytes;
};

uintptr_t page_bytes() {
#ifdef _WIN32
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
#else
  return static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
#endif
}

// Returns the pages wholly inside the span to the system. What is then left to free is an address range, which takes no time.
void discard(const Span& span) {
  uintptr_t page = page_bytes(), begin = reinterpret_cast<uintptr_t>(span.data), end = begin + span.bytes;
  begin = (begin + page - 1) / page * page;
  end = end / page * page;
  if (end <= begin) return;
#ifdef _WIN32
  DiscardVirtualMemory(reinterpret_cast<void*>(begin), end - begin);
#elif defined(__APPLE__)
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_FREE);
#else
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#endif
}

Napi::Value release_js(const Napi::CallbackInfo& info) {
  auto arrays = info[0].As<Napi::Array>();
  auto buffers = Napi::Array::New(info.Env());
  std::vector<Span> spans;
  for (uint32_t i = 0; i < arrays.Length(); i++) {
    Napi::Value value = arrays[i];
    if (!value.IsTypedArray()) throw Napi::TypeError::New(info.Env(), "release: expected typed arrays");
    auto buffer = value.As<Napi::TypedArray>().ArrayBuffer();
    spans.push_back({buffer.Data(), buffer.ByteLength()});
    buffers.Set(i, buffer);
  }
  auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(buffers.As<Napi::Object>()));
  return run_task(
      info.Env(), {}, [spans] { for (const Span& span : spans) discard(span); },
      [kept, count = arrays.Length()](Napi::Env env) {
        for (uint32_t i = 0; i < count; i++) kept->Get(i).As<Napi::ArrayBuffer>().Detach();
        return env.Undefined();
      });
}

}  // namespace

void add_memory(Napi::Env env, Napi::Object exports) { exports.Set("release", Napi::Function::New(env, release_js)); }

}  // namespace halftone
