// The stand-alone operator library: RegisterCustomOps for any ONNX Runtime from API version 17 on, in any language.
#include "../ops/operator.h"

#ifdef _WIN32
#define EXPORTED extern "C" __declspec(dllexport)
#else
#define EXPORTED extern "C" __attribute__((visibility("default")))
#endif

namespace halftone::ops {
namespace {

struct Domain {
  ort::CustomOpDomain* domain = nullptr;
  std::string failure;
};

Domain make_domain(const ort::Api& api) {
  Domain made;
  ort::Status* status = api.CreateCustomOpDomain(operator_domain, &made.domain);
  for (const auto& op : operators()) {
    if (!status) status = api.CustomOpDomain_Add(made.domain, &op);
  }
  if (status) {
    made.failure = api.GetErrorMessage(status);
    api.ReleaseStatus(status);
  }
  return made;
}

// The domain is shared by all sessions and never released: any of them may live until the process ends.
ort::Status* add_operators(const ort::Api& api, ort::SessionOptions* options) {
  static const Domain made = make_domain(api);
  return made.failure.empty() ? api.AddCustomOpDomain(options, made.domain)
                              : api.CreateStatus(ort::general_failure, made.failure.c_str());
}

}  // namespace
}  // namespace halftone::ops

EXPORTED halftone::ort::Status* ORT_CALL RegisterCustomOps(halftone::ort::SessionOptions* options,
                                                           const halftone::ort::ApiBase* base) {
  // An older runtime has written why to its log; there is no status to give without its function table.
  const auto* api = base->GetApi(halftone::ops::operator_api_version);
  return api ? halftone::ops::add_operators(*api, options) : nullptr;
}
