#pragma once
#include <napi.h>

namespace halftone {

void add_linalg_reference(Napi::Env env, Napi::Object exports);

}  // namespace halftone
