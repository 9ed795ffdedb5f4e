// Storage codecs: codecBlock, codecBytes, encode, decode, codecGrid, codecPack.
#include "../reference/codec.h"
#include "../simd/pool.h"
#include "arguments.h"
#include "task.h"

namespace halftone {
namespace {

// Weights coded by one call of a worker: large enough to hide the call, small enough to share out a layer.
constexpr int64_t weights_per_range = 1 << 15;
// Rows whose only block is the row are fitted side by side, one to a lane.
constexpr int64_t rows_side_by_side = 8;
// Largest whole number that JavaScript holds exactly.
constexpr double largest_number = 9007199254740991.0;

const Codec& stored_of(const Napi::Value& value) {
  std::string name = value.ToString().Utf8Value();
  const Codec* codec = find_stored(name);
  if (!codec) throw Napi::TypeError::New(value.Env(), "codec: \"" + name + "\" is not a storage format");
  return *codec;
}

const Codec& codec_of(const Napi::Value& value) {
  const Codec& codec = stored_of(value);
  if (!codec.fit) throw Napi::TypeError::New(value.Env(), "codec: " + codec.name + " can be read, not written");
  return codec;
}

struct Table {
  int64_t rows, cols;
  size_t row_bytes, bytes;
};

Table table_of(const Codec& codec, const Napi::Value& value) {
  auto [rows, cols] = shape_of(value);
  int64_t block = block_length(codec, cols);
  if (cols % block != 0) {
    throw Napi::RangeError::New(value.Env(), "cols: found " + std::to_string(cols) + ", expected a multiple of " + std::to_string(block) + ", the block of " + codec.name);
  }
  size_t one = row_bytes(codec, cols);  // rows and cols are below 2^31, and a weight takes at most four bytes and a share of the parameters
  if (static_cast<double>(one) * static_cast<double>(rows) > largest_number) {
    throw Napi::RangeError::New(value.Env(), "shape: [" + std::to_string(rows) + ", " + std::to_string(cols) + "] is too large");
  }
  return {rows, cols, one, one * static_cast<size_t>(rows)};
}

int64_t rows_per_range(const Codec& codec, int64_t cols) {
  int64_t rows = std::max<int64_t>(1, weights_per_range / cols);
  return codec.block ? rows : (rows + rows_side_by_side - 1) / rows_side_by_side * rows_side_by_side;
}

Napi::Value codec_block_js(const Napi::CallbackInfo& info) {
  const Codec* codec = find_stored(info[0].ToString().Utf8Value());
  return codec ? Napi::Number::New(info.Env(), static_cast<double>(codec->block)) : info.Env().Undefined();
}

Napi::Value codec_bytes_js(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(table_of(stored_of(info[0]), info[1]).bytes));
}

Fit fit_of(const Napi::Value& value) {
  std::string name = value.ToString().Utf8Value();
  if (name == "nearest") return Fit::nearest;
  if (name == "search") return Fit::search;
  throw Napi::TypeError::New(value.Env(), "method: found \"" + name + "\", expected \"nearest\" or \"search\"");
}

Napi::Value encode_js(const Napi::CallbackInfo& info) {
  const Codec& codec = codec_of(info[0]);
  const Table table = table_of(codec, info[1]);
  auto* x = data_of<float>(info[2], static_cast<size_t>(table.rows) * static_cast<size_t>(table.cols), "weights");
  auto* importance = data_or_null<float>(info[3], static_cast<size_t>(table.cols), "importance");
  const Fit fit = fit_of(info[4]);
  auto* out = data_of<uint8_t>(info[5], table.bytes, "out");
  return run_task(info.Env(), {info[2], info[3], info[5]}, [=, &codec] {
    parallel_for(table.rows, rows_per_range(codec, table.cols), [&](int64_t begin, int64_t end) {
      encode_rows(codec, x + begin * table.cols, importance, fit, end - begin, table.cols, out + static_cast<size_t>(begin) * table.row_bytes);
    });
  });
}

Napi::Value decode_js(const Napi::CallbackInfo& info) {
  const Codec& codec = stored_of(info[0]);
  const Table table = table_of(codec, info[1]);
  auto* bytes = data_of<uint8_t>(info[2], table.bytes, "bytes");
  auto* x = data_of<float>(info[3], static_cast<size_t>(table.rows) * static_cast<size_t>(table.cols), "out");
  return run_task(info.Env(), {info[2], info[3]}, [=, &codec] {
    parallel_for(table.rows, rows_per_range(codec, table.cols), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) decode_row(codec, bytes + static_cast<size_t>(row) * table.row_bytes, table.cols, x + row * table.cols);
    });
  });
}

// A block and its codec, from (codec, n, block).
std::pair<const Codec*, uint8_t*> coded_block(const Napi::CallbackInfo& info, int64_t n) {
  const Codec& codec = codec_of(info[0]);
  if (!codec.grid) throw Napi::TypeError::New(info.Env(), "codec: " + codec.name + " has no codes");
  if (codec.block && codec.block != n) throw Napi::RangeError::New(info.Env(), "n: found " + std::to_string(n) + ", expected " + std::to_string(codec.block) + ", the block of " + codec.name);
  return {&codec, data_of<uint8_t>(info[2], codec.block_bytes(codec, n), "block")};
}

Napi::Value codec_grid_js(const Napi::CallbackInfo& info) {
  const int64_t n = extent(info[1], "n");
  auto [codec, block] = coded_block(info, n);
  Grid grid;
  codec->grid(*codec, block, n, &grid);
  const auto list = [&](const float* from, int64_t count) {
    auto array = Napi::Float32Array::New(info.Env(), static_cast<size_t>(count));
    std::copy_n(from, count, array.Data());
    return array;
  };
  auto result = Napi::Object::New(info.Env());
  result.Set("part", static_cast<double>(grid.part));
  result.Set("steps", list(grid.step, n / grid.part));
  result.Set("offsets", list(grid.offset, n / grid.part));
  result.Set("first", grid.q_min);
  result.Set("last", grid.q_max);
  if (grid.levels) result.Set("levels", list(grid.levels, grid.q_max + 1));
  return result;
}

void codec_pack_js(const Napi::CallbackInfo& info) {
  const int64_t n = extent(info[1], "n");
  auto [codec, block] = coded_block(info, n);
  auto* codes = data_of<uint8_t>(info[3], static_cast<size_t>(n), "codes");
  Grid grid;
  codec->grid(*codec, block, n, &grid);
  for (int64_t j = 0; j < n; j++) {
    if (codes[j] > grid.q_max - grid.q_min) throw Napi::RangeError::New(info.Env(), "codes: found " + std::to_string(codes[j]) + ", expected at most " + std::to_string(grid.q_max - grid.q_min));
  }
  codec->pack(*codec, codes, n, block);
}

}  // namespace

void add_codecs(Napi::Env env, Napi::Object exports) {
  exports.Set("codecBlock", Napi::Function::New(env, codec_block_js));
  exports.Set("codecBytes", Napi::Function::New(env, codec_bytes_js));
  exports.Set("encode", Napi::Function::New(env, encode_js));
  exports.Set("decode", Napi::Function::New(env, decode_js));
  exports.Set("codecGrid", Napi::Function::New(env, codec_grid_js));
  exports.Set("codecPack", Napi::Function::New(env, codec_pack_js));
}

}  // namespace halftone
