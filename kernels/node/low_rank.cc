// truncatedSvd(matrix, {rows, cols}, rank, seed): Promise<{u, s, v}>
// lowRankCorrection(delta, {rows, cols}, hessian, rank, seed, b, a): Promise<void>
#include "../simd/low_rank.h"

#include "arguments.h"
#include "linalg.h"
#include "task.h"

namespace halftone {
namespace {

int64_t rank_of(const Napi::Value& value, int64_t rows, int64_t cols) {
  int64_t rank = extent(value, "rank");
  if (rank > rows || rank > cols) {
    throw Napi::RangeError::New(value.Env(), "rank: expected at most the least of " + std::to_string(rows) + " rows and " + std::to_string(cols) + " columns, found " + std::to_string(rank));
  }
  return rank;
}

Napi::Value truncated_svd_js(const Napi::CallbackInfo& info) {
  auto [rows, cols] = shape_of(info[1]);
  int64_t rank = rank_of(info[2], rows, cols), seed = extent(info[3], "seed", 0);
  auto* matrix = data_of<float>(info[0], rows * cols, "matrix");
  auto result = Napi::Object::New(info.Env());
  auto u = Napi::Float32Array::New(info.Env(), rows * rank), s = Napi::Float32Array::New(info.Env(), rank), v = Napi::Float32Array::New(info.Env(), cols * rank);
  result.Set("u", u);
  result.Set("s", s);
  result.Set("v", v);
  auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(result));
  return run_task(
      info.Env(), {info[0], result},
      [=, rows = rows, cols = cols, u = u.Data(), s = s.Data(), v = v.Data()] { truncated_svd(matrix, rows, cols, rank, static_cast<uint64_t>(seed), u, s, v); },
      [=](Napi::Env) { return kept->Value(); });
}

Napi::Value low_rank_correction_js(const Napi::CallbackInfo& info) {
  auto [rows, cols] = shape_of(info[1]);
  int64_t rank = rank_of(info[3], rows, cols), seed = extent(info[4], "seed", 0);
  auto* delta = data_of<float>(info[0], rows * cols, "delta");
  auto* hessian = data_of<double>(info[2], cols * cols, "hessian");
  auto* b = data_of<float>(info[5], rows * rank, "b");
  auto* a = data_of<float>(info[6], rank * cols, "a");
  return run_task(info.Env(), {info[0], info[2], info[5], info[6]},
                  [=, rows = rows, cols = cols] { low_rank_correction(delta, rows, cols, hessian, rank, static_cast<uint64_t>(seed), b, a); });
}

}  // namespace

void add_low_rank(Napi::Env env, Napi::Object exports) {
  exports.Set("truncatedSvd", Napi::Function::New(env, truncated_svd_js));
  exports.Set("lowRankCorrection", Napi::Function::New(env, low_rank_correction_js));
}

}  // namespace halftone
