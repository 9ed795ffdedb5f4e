// One arena for the activations of all sessions that ask for it by the entry session.use_env_allocators = 1: what one
// session has freed the next one uses, so that several graphs run in turn take the memory of the largest.
#pragma once
#include "session_runtime.h"

namespace halftone {

ort::Status* register_shared_arena(const Runtime& runtime);

}  // namespace halftone
