// One thread pool for all kernels. Work is split into fixed ranges that do not depend on the number of threads, so
// results are the same bytes on every machine.
#pragma once
#include <cstdint>
#include <functional>

namespace halftone {

// Number of threads that take part in parallel_for, the caller included. Default: hardware threads.
void set_threads(int count);
int threads();

// Calls body(begin, end) for consecutive ranges of at most `grain` that cover [0, count); returns when all are done.
// Safe to call from several threads at once; nested calls run on the calling thread.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace halftone
