#include "task.h"

namespace halftone {
void add_codecs(Napi::Env, Napi::Object) {}
}  // namespace halftone
