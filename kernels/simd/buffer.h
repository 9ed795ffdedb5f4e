// Uninitialized scratch memory, aligned to a cache line, freed at the end of its scope.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace halftone {

template <typename T>
class Buffer {
 public:
  explicit Buffer(int64_t count) : bytes_(std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(count) * sizeof(T) + line)) {
    auto address = reinterpret_cast<uintptr_t>(bytes_.get());
    data_ = reinterpret_cast<T*>(bytes_.get() + (line - address % line));
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }

 private:
  static constexpr size_t line = 64;
  std::unique_ptr<std::byte[]> bytes_;
  T* data_;
};

}  // namespace halftone
