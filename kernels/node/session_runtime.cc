#include "session_runtime.h"

#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "../ops/operator.h"
#include "session_arena.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace halftone {
namespace {

#ifdef _WIN32

void* open_library(const std::string& path) {
  int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  // The altered search path finds DirectML.dll beside the library.
  HMODULE library = LoadLibraryExW(wide.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (!library) throw std::runtime_error(path + ": cannot be loaded, Windows error " + std::to_string(GetLastError()));
  return library;
}

void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

void disable_telemetry_by_environment() { _putenv_s("ORT_DISABLE_TELEMETRY", "1"); }

#else

void* open_library(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  return library;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

void disable_telemetry_by_environment() { setenv("ORT_DISABLE_TELEMETRY", "1", 1); }

#endif

struct Slot {
  std::mutex mutex;
  std::unique_ptr<Runtime> runtime;
};

Slot& slot() {
  static Slot instance;
  return instance;
}

void check_with(const ort::Api* api, ort::Status* status) {
  if (!status) return;
  std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw std::runtime_error(message);
}

std::unique_ptr<Runtime> open(const std::string& path) {
  disable_telemetry_by_environment();
  auto opened = std::make_unique<Runtime>();
  opened->handle = open_library(path);
  auto base = reinterpret_cast<const ort::ApiBase*(ORT_CALL*)()>(find_symbol(opened->handle, "OrtGetApiBase"));
  if (!base) throw std::runtime_error(path + ": is not an ONNX Runtime library (OrtGetApiBase is missing)");
  opened->version = base()->GetVersionString();
  opened->api = base()->GetApi(ort::api_version);
  if (!opened->api) {
    throw std::runtime_error(path + ": is ONNX Runtime " + opened->version + "; one with API version " +
                             std::to_string(ort::api_version) + " or later is needed");
  }
  check_with(opened->api, opened->api->CreateEnv(ort::log_fatal, "halftone", &opened->env));
  check_with(opened->api, opened->api->DisableTelemetryEvents(opened->env));
  check_with(opened->api, opened->api->CreateCpuMemoryInfo(ort::arena_allocator, ort::default_memory, &opened->memory));
  check_with(opened->api, register_shared_arena(*opened));
  check_with(opened->api, opened->api->CreateCustomOpDomain(ops::operator_domain, &opened->domain));
  for (const auto& op : ops::operators()) check_with(opened->api, opened->api->CustomOpDomain_Add(opened->domain, &op));
  return opened;
}

}  // namespace

const Runtime& open_runtime(const std::string& path) {
  std::lock_guard lock(slot().mutex);
  if (!slot().runtime) slot().runtime = open(path);
  return *slot().runtime;
}

const Runtime& runtime() {
  if (!slot().runtime) throw std::runtime_error("ONNX Runtime is not open: openRuntime must be called first");
  return *slot().runtime;
}

void* runtime_symbol(const Runtime& runtime, const char* name) { return find_symbol(runtime.handle, name); }

void check(ort::Status* status) { check_with(runtime().api, status); }

}  // namespace halftone
