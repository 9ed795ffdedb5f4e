// Quantized weights as the planes that QMatMul reads: planeFormat, planes.
#include "../reference/codec_planes.h"
#include "../simd/pool.h"
#include "arguments.h"
#include "task.h"

namespace halftone {
namespace {

// Weights taken apart by one call of a worker.
constexpr int64_t weights_per_range = 1 << 15;

Napi::Value plane_format_js(const Napi::CallbackInfo& info) {
  const Codec* codec = find_codec(info[0].ToString().Utf8Value());
  const PlaneFormat format = codec ? plane_format(*codec) : PlaneFormat{0, 0, false};
  if (format.bits == 0) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  result.Set("bits", format.bits);
  result.Set("group", static_cast<double>(format.group));
  result.Set("zeros", format.zeros);
  return result;
}

Napi::Value planes_js(const Napi::CallbackInfo& info) {
  const std::string name = info[0].ToString().Utf8Value();
  const Codec* codec = find_codec(name);
  const PlaneFormat format = codec ? plane_format(*codec) : PlaneFormat{0, 0, false};
  if (format.bits == 0) throw Napi::TypeError::New(info.Env(), "codec: \"" + name + "\" has no codes");
  auto [rows, cols] = shape_of(info[1]);
  const int64_t block = block_length(*codec, cols);
  if (cols % block != 0) throw Napi::RangeError::New(info.Env(), "cols: found " + std::to_string(cols) + ", expected a multiple of " + std::to_string(block) + ", the block of " + name);
  const size_t row_in = row_bytes(*codec, cols);
  const size_t row_codes = static_cast<size_t>((cols * format.bits + 7) / 8);
  const size_t groups = static_cast<size_t>(format.group ? cols / format.group : 1);
  const size_t count = static_cast<size_t>(rows);
  auto* bytes = data_of<uint8_t>(info[2], count * row_in, "bytes");
  auto* codes = data_of<uint8_t>(info[3], count * row_codes, "codes");
  auto* scales = data_of<float>(info[4], count * groups, "scales");
  auto* zeros = format.zeros ? data_of<float>(info[5], count * groups, "zeros") : nullptr;
  const int64_t rows_per_range = std::max<int64_t>(1, weights_per_range / cols);
  return run_task(info.Env(), {info[2], info[3], info[4], info[5]}, [=, total = rows, width = cols] {
    parallel_for(total, rows_per_range, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const size_t at = static_cast<size_t>(row);
        row_planes(*codec, format, bytes + at * row_in, width, codes + at * row_codes, scales + at * groups, zeros ? zeros + at * groups : nullptr);
      }
    });
  });
}

}  // namespace

void add_codec_planes(Napi::Env env, Napi::Object exports) {
  exports.Set("planeFormat", Napi::Function::New(env, plane_format_js));
  exports.Set("planes", Napi::Function::New(env, planes_js));
}

}  // namespace halftone
