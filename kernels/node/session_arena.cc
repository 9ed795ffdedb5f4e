#include "session_arena.h"

namespace halftone {

ort::Status* register_shared_arena(const Runtime& runtime) {
  constexpr const char* keys[] = {"arena_extend_strategy", "max_dead_bytes_per_chunk"};
  constexpr size_t as_requested = 1;    // grows by what is asked for; the default doubles
  constexpr size_t dead_bytes = 1 << 20;  // most that a chunk may be larger than what it is given out for
  constexpr size_t values[] = {as_requested, dead_bytes};
  ort::ArenaConfig* config = nullptr;
  ort::Status* status = runtime.api->CreateArenaCfgV2(keys, values, 2, &config);
  if (status) return status;
  status = runtime.api->CreateAndRegisterAllocator(runtime.env, runtime.memory, config);
  runtime.api->ReleaseArenaCfg(config);
  return status;
}

}  // namespace halftone
