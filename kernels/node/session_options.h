// Session options from JavaScript, and the execution providers this machine's runtime has.
#pragma once
#include <napi.h>

#include <vector>

#include "session_runtime.h"

namespace halftone {

struct SessionSetup {
  Owned<ort::SessionOptions> options;
  std::vector<Owned<ort::Value>> initializers;  // over JavaScript memory; must outlive the session
};

// kernels.ts `SessionOptions` as runtime options; throws a JavaScript error for what cannot be. Adds the values whose
// memory the initializers share to `kept`.
SessionSetup read_session_options(const Napi::Object& options, std::vector<Napi::Value>& kept);
// Providers of kernels.ts `Provider` that the open runtime was built with.
std::vector<const char*> available_providers();

}  // namespace halftone
