// Loads an operator library into a plain ONNX Runtime and runs a model that has no inputs:
//   library-host RUNTIME LIBRARY MODEL OUTPUT   prints the output's values, one a line
#include <cstdio>
#include <stdexcept>
#include <string>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "../node/ort_api.h"

using namespace halftone;

static void* symbol(const char* library, const char* name) {
#ifdef _WIN32
  auto loaded = LoadLibraryA(library);
  auto found = loaded ? reinterpret_cast<void*>(GetProcAddress(loaded, name)) : nullptr;
#else
  auto loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  auto found = loaded ? dlsym(loaded, name) : nullptr;
#endif
  if (!found) throw std::runtime_error(std::string(library) + " has no " + name);
  return found;
}

static void run(char** arguments) {
  auto base = reinterpret_cast<const ort::ApiBase*(ORT_CALL*)()>(symbol(arguments[1], "OrtGetApiBase"))();
  auto register_operators = reinterpret_cast<ort::Status*(ORT_CALL*)(ort::SessionOptions*, const ort::ApiBase*)>(
      symbol(arguments[2], "RegisterCustomOps"));
  const auto& api = *base->GetApi(ort::api_version);
  auto check = [&](ort::Status* status) {
    if (status) throw std::runtime_error(api.GetErrorMessage(status));
  };
  ort::Env* env = nullptr;
  ort::SessionOptions* options = nullptr;
  ort::Session* session = nullptr;
  ort::Value* output = nullptr;
  check(api.CreateEnv(ort::log_fatal, "library-host", &env));
  check(api.CreateSessionOptions(&options));
  check(register_operators(options, base));
  std::string path = arguments[3];
  check(api.CreateSession(env, std::basic_string<ort::PathChar>(path.begin(), path.end()).c_str(), options, &session));
  const char* name = arguments[4];
  check(api.Run(session, nullptr, nullptr, nullptr, 0, &name, 1, &output));
  ort::TensorInfo* info = nullptr;
  size_t count = 0;
  void* data = nullptr;
  check(api.GetTensorTypeAndShape(output, &info));
  check(api.GetTensorShapeElementCount(info, &count));
  check(api.GetTensorMutableData(output, &data));
  for (size_t i = 0; i < count; i++) std::printf("%.9g\n", static_cast<const float*>(data)[i]);
}

int main(int count, char** arguments) {
  try {
    if (count != 5) throw std::runtime_error("usage: library-host RUNTIME LIBRARY MODEL OUTPUT");
    run(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
