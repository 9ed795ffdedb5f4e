#include "allocator.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace halftone {

// The C library's own thresholds grow with what is freed, up to 32 MB: arrays below them are cut from the arenas of the
// threads, which keep them, and the process grows with every size that comes by. Fixed thresholds turn that off.
void give_back_memory() {
#ifdef M_MMAP_THRESHOLD
  constexpr int mapped_bytes = 1 << 20;  // allocations from here on are mapped by themselves
  constexpr int kept_bytes = 16 << 20;   // of freed smaller ones, by an arena
  mallopt(M_MMAP_THRESHOLD, mapped_bytes);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
#endif
}

}  // namespace halftone
