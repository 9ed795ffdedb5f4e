// score(logits, reference | null, labels, rows, vocabulary, nll, kl, same): Promise<void>
#include "../simd/scoring.h"

#include "arguments.h"
#include "task.h"

namespace halftone {

static Napi::Value score(const Napi::CallbackInfo& info) {
  int64_t rows = extent(info[3], "score: rows");
  int64_t vocabulary = extent(info[4], "score: vocabulary");
  auto count = static_cast<size_t>(rows);
  size_t logit_count = count * static_cast<size_t>(vocabulary);
  const float* logits = data_of<float>(info[0], logit_count, "score: logits");
  const float* reference = data_or_null<float>(info[1], logit_count, "score: reference");
  const int32_t* labels = data_of<int32_t>(info[2], count, "score: labels");
  Scores scores = {data_of<double>(info[5], count, "score: nll"), data_of<double>(info[6], count, "score: kl"),
                   data_of<uint8_t>(info[7], count, "score: same")};
  for (int64_t row = 0; row < rows; row++) {
    if (labels[row] >= vocabulary) {
      throw Napi::RangeError::New(info.Env(), "score: label " + std::to_string(labels[row]) + " of row " +
                                                  std::to_string(row) + " is outside the vocabulary of " +
                                                  std::to_string(vocabulary));
    }
  }
  return run_task(info.Env(), {info[0], info[1], info[2], info[5], info[6], info[7]},
                  [=] { score_rows(logits, reference, labels, rows, vocabulary, scores); });
}

void add_scoring(Napi::Env env, Napi::Object exports) { exports.Set("score", Napi::Function::New(env, score)); }

}  // namespace halftone
