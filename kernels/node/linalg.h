// The parts of add_linalg.
#pragma once
#include <napi.h>

namespace halftone {

void add_gptq(Napi::Env env, Napi::Object exports);
void add_low_rank(Napi::Env env, Napi::Object exports);
void add_linalg_reference(Napi::Env env, Napi::Object exports);

}  // namespace halftone
