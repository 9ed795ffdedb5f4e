// Threads that compute step back for those that answer: the event loop, the garbage collector's helpers, the user's other programs.
#pragma once

namespace halftone {

// Lowers the priority of the calling thread, once and for good; threads it starts are as low.
void step_back();

}  // namespace halftone
