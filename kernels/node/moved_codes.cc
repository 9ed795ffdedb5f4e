// movedCodes(start, offsets, {rows, cols}, {bits, step}, nearest, codes, packed): Promise<void>
#include "../simd/moved_codes.h"

#include "arguments.h"
#include "task.h"

namespace halftone {

static Napi::Value moved_codes_async(const Napi::CallbackInfo& info) {
  constexpr int64_t widest = 8;
  const auto [rows, cols] = shape_of(info[2]);
  const auto given = info[3].As<Napi::Object>();
  const int64_t bits = extent(given.Get("bits"), "movedCodes: bits");
  if (bits > widest) throw Napi::RangeError::New(info.Env(), "movedCodes: expected at most 8 bits, found " + std::to_string(bits));
  const CodeGrid grid = {rows, cols, static_cast<int>(bits), given.Get("step").ToNumber().DoubleValue()};
  const int64_t row_bytes = (cols * bits + 7) / 8;
  const size_t count = static_cast<size_t>(rows * cols);
  const uint8_t* start = data_of<uint8_t>(info[0], count, "movedCodes: start");
  const float* offsets = data_of<float>(info[1], count, "movedCodes: offsets");
  const uint8_t* nearest = data_of<uint8_t>(info[4], static_cast<size_t>(2) << bits, "movedCodes: nearest");
  uint8_t* codes = data_of<uint8_t>(info[5], count, "movedCodes: codes");
  uint8_t* packed = data_of<uint8_t>(info[6], static_cast<size_t>(rows * row_bytes), "movedCodes: packed");
  return run_task(info.Env(), {info[0], info[1], info[4], info[5], info[6]}, [=] { moved_codes(start, offsets, grid, nearest, codes, packed, row_bytes); });
}

void add_moved_codes(Napi::Env env, Napi::Object exports) { exports.Set("movedCodes", Napi::Function::New(env, moved_codes_async)); }

}  // namespace halftone
