#include "priority.h"

#if defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#elif defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace halftone {

void step_back() {
  thread_local bool done = false;
  if (done) return;
  done = true;
#if defined(_WIN32)
  SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL);
#elif defined(__APPLE__)
  constexpr int steps = -8;  // within the class, whose lowest is -15: a lower class could be kept to the slow cores
  pthread_set_qos_class_self_np(QOS_CLASS_DEFAULT, steps);
#elif defined(__linux__)
  // Threads have priorities of their own on Linux, and begin with that of who starts them: counted from the first thread, none
  // steps back twice. The share of a busy processor falls to a third; an idle one is used whole.
  constexpr int steps = 5;
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), getpriority(PRIO_PROCESS, static_cast<id_t>(getpid())) + steps);
#endif
}

}  // namespace halftone
