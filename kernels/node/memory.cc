#include "memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace halftone {

// Left to itself glibc keeps freed arrays of up to 32 MB for later ones of their size: with every size that comes by, the
// process grows. A fixed threshold turns that off.
void give_back_memory() {
#ifdef M_MMAP_THRESHOLD
  constexpr int mapped_from = 1 << 20;  // bytes
  mallopt(M_MMAP_THRESHOLD, mapped_from);
#endif
}

}  // namespace halftone
