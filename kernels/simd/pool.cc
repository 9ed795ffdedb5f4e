#include "pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "priority.h"

namespace halftone {
namespace {

struct Batch {
  const std::function<void(int64_t, int64_t)>* body;
  int64_t count, grain;
  std::atomic<int64_t> next{0};
  int64_t remaining;  // ranges not finished yet, under mutex
  std::mutex mutex;
  std::condition_variable finished;

  void work() {
    for (;;) {
      int64_t begin = next.fetch_add(grain);
      if (begin >= count) return;
      (*body)(begin, std::min(begin + grain, count));
      std::lock_guard lock(mutex);
      if (--remaining == 0) finished.notify_all();
    }
  }
};

thread_local bool inside = false;

class Pool {
 public:
  ~Pool() { resize(1); }

  void resize(int count) {
    std::lock_guard resizing(resize_mutex_);
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : workers_) thread.join();
    workers_.clear();
    stopping_ = false;
    for (int i = 1; i < count; i++) workers_.emplace_back([this] { loop(); });
    size_ = std::max(1, count);
  }

  int size() const { return size_; }

  void run(const std::shared_ptr<Batch>& batch) {
    int helpers = static_cast<int>(std::min<int64_t>(size_ - 1, batch->remaining - 1));
    {
      std::lock_guard lock(mutex_);
      for (int i = 0; i < helpers; i++) queue_.push_back(batch);
    }
    for (int i = 0; i < helpers; i++) wake_.notify_one();
    inside = true;
    batch->work();
    inside = false;
    std::unique_lock lock(batch->mutex);
    batch->finished.wait(lock, [&] { return batch->remaining == 0; });
  }

 private:
  void loop() {
    step_back();
    inside = true;
    for (;;) {
      std::shared_ptr<Batch> batch;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        batch = queue_.front();
        queue_.pop_front();
      }
      batch->work();
    }
  }

  std::mutex mutex_, resize_mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Batch>> queue_;
  std::vector<std::thread> workers_;
  bool stopping_ = false;
  std::atomic<int> size_{1};
};

Pool& pool() {
  static Pool instance;
  static std::once_flag once;
  std::call_once(once, [] { instance.resize(static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))); });
  return instance;
}

}  // namespace

void set_threads(int count) { pool().resize(std::max(1, count)); }
int threads() { return pool().size(); }

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(1, grain);
  if (inside || count <= grain || threads() == 1) {
    for (int64_t begin = 0; begin < count; begin += grain) body(begin, std::min(begin + grain, count));
    return;
  }
  auto batch = std::make_shared<Batch>();
  batch->body = &body;
  batch->count = count;
  batch->grain = grain;
  batch->remaining = (count + grain - 1) / grain;
  pool().run(batch);
}

}  // namespace halftone
