#include "session_options.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "session_tensor.h"

namespace halftone {
namespace {

void append_nothing(ort::SessionOptions*) {}

void append_webgpu(ort::SessionOptions* options) {
  check(runtime().api->SessionOptionsAppendExecutionProvider(options, "WebGPU", nullptr, nullptr, 0));
}

void append_coreml(ort::SessionOptions* options) {
  check(runtime().api->SessionOptionsAppendExecutionProvider(options, "CoreML", nullptr, nullptr, 0));
}

void append_cuda(ort::SessionOptions* options) {
  ort::CudaOptions* raw = nullptr;
  check(runtime().api->CreateCUDAProviderOptions(&raw));
  Owned<ort::CudaOptions> cuda(raw);
  check(runtime().api->SessionOptionsAppendExecutionProvider_CUDA_V2(options, raw));
}

// DirectML has no slot in the table: the Windows library exports a function of its own. It cannot use memory patterns.
void append_directml(ort::SessionOptions* options) {
  auto append = reinterpret_cast<ort::Status*(ORT_CALL*)(ort::SessionOptions*, int)>(
      runtime_symbol(runtime(), "OrtSessionOptionsAppendExecutionProvider_DML"));
  if (!append) throw std::runtime_error("the runtime does not export the DirectML provider");
  constexpr int first_device = 0;
  check(runtime().api->DisableMemPattern(options));
  check(append(options, first_device));
}

struct ProviderEntry {
  const char* name;
  const char* capability;  // as the runtime lists it
  void (*append)(ort::SessionOptions*);
};
constexpr ProviderEntry providers[] = {
    {"cpu", "CPUExecutionProvider", append_nothing},  {"webgpu", "WebGpuExecutionProvider", append_webgpu},
    {"dml", "DmlExecutionProvider", append_directml}, {"coreml", "CoreMLExecutionProvider", append_coreml},
    {"cuda", "CUDAExecutionProvider", append_cuda},
};

struct OptimizationEntry {
  const char* name;
  ort::OptimizationLevel level;
};
constexpr OptimizationEntry optimizations[] = {{"none", ort::optimize_none},
                                               {"basic", ort::optimize_basic},
                                               {"extended", ort::optimize_extended},
                                               {"all", ort::optimize_all}};

constexpr const char* spinning = "session.intra_op.allow_spinning";

template <typename Entry, size_t N>
const Entry& find_entry(const Entry (&table)[N], const Napi::Value& value, const char* what) {
  std::string name = value.ToString();
  auto found = std::find_if(std::begin(table), std::end(table), [&](const Entry& entry) { return name == entry.name; });
  if (found == std::end(table))
    throw Napi::TypeError::New(value.Env(), std::string(what) + " '" + name + "' is not known");
  return *found;
}

bool given(const Napi::Object& options, const char* key) { return !options.Get(key).IsUndefined(); }

void add_providers(ort::SessionOptions* options, const Napi::Array& wanted) {
  auto available = available_providers();
  for (uint32_t i = 0; i < wanted.Length(); i++) {
    const auto& entry = find_entry(providers, wanted.Get(i), "execution provider");
    if (std::find(available.begin(), available.end(), entry.name) == available.end()) {
      std::string names;
      for (const char* name : available) names += std::string(names.empty() ? "" : ", ") + name;
      throw std::runtime_error("execution provider '" + std::string(entry.name) +
                               "' is not part of this runtime; it has: " + names);
    }
    entry.append(options);
  }
}

void add_config(ort::SessionOptions* options, const Napi::Object& config) {
  Napi::Array keys = config.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); i++) {
    std::string key = keys.Get(i).ToString();
    std::string value = config.Get(key).ToString();
    check(runtime().api->AddSessionConfigEntry(options, key.c_str(), value.c_str()));
  }
}

void add_initializers(SessionSetup& setup, const Napi::Object& initializers, std::vector<Napi::Value>& kept) {
  Napi::Array names = initializers.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    std::string name = names.Get(i).ToString();
    Napi::Value tensor = initializers.Get(name);
    auto value = wrap_tensor(read_tensor(tensor, "initializer '" + name + "'"));
    kept.push_back(tensor.As<Napi::Object>().Get("data"));
    check(runtime().api->AddInitializer(setup.options.get(), name.c_str(), value.get()));
    setup.initializers.push_back(std::move(value));
  }
}

}  // namespace

SessionSetup read_session_options(const Napi::Object& options, std::vector<Napi::Value>& kept) {
  const auto& api = *runtime().api;
  SessionSetup setup;
  ort::SessionOptions* raw = nullptr;
  check(api.CreateSessionOptions(&raw));
  setup.options.reset(raw);
  if (given(options, "threads")) check(api.SetIntraOpNumThreads(raw, options.Get("threads").ToNumber().Int32Value()));
  if (given(options, "optimization"))
    check(api.SetSessionGraphOptimizationLevel(
        raw, find_entry(optimizations, options.Get("optimization"), "optimization").level));
  if (given(options, "memoryPattern") && !options.Get("memoryPattern").ToBoolean()) check(api.DisableMemPattern(raw));
  if (given(options, "arena") && !options.Get("arena").ToBoolean()) check(api.DisableCpuMemArena(raw));
  check(api.AddSessionConfigEntry(raw, spinning, "0"));
  if (given(options, "config")) add_config(raw, options.Get("config").ToObject());
  if (given(options, "providers")) add_providers(raw, options.Get("providers").As<Napi::Array>());
  if (given(options, "initializers")) add_initializers(setup, options.Get("initializers").ToObject(), kept);
  check(api.AddCustomOpDomain(raw, runtime().domain));
  return setup;
}

std::vector<const char*> available_providers() {
  char** names = nullptr;
  int count = 0;
  check(runtime().api->GetAvailableProviders(&names, &count));
  std::vector<const char*> found;
  for (const auto& entry : providers) {
    if (std::find_if(names, names + count, [&](const char* name) { return std::string(entry.capability) == name; }) !=
        names + count)
      found.push_back(entry.name);
  }
  check(runtime().api->ReleaseAvailableProviders(names, count));
  return found;
}

}  // namespace halftone
