// The weight as the operators of the domain take it: three inputs and three attributes.
//   codes   uint8 [N, ceil(K · bits / 8)]   code k of a row at bit k · bits of its little-endian stream
//   scales  float [N, K / group]
//   zeros   float [N, K / group], optional  2^(bits − 1) where absent; floats, so that they need not be whole
//   attributes: K (in features), bits (2, 3, 4, 8), group (a multiple of 16 that divides K; 0, the default: the whole
//   row)
#pragma once
#include "operator.h"

namespace halftone::ops {

struct WeightFormat {
  int64_t cols, group;
  int bits;
};

WeightFormat read_format(const char* op, const Attributes& attributes);
// Inputs `first`, `first` + 1 and `first` + 2 of a call, checked.
PackedWeight read_weight(const WeightFormat& format, const Call& call, size_t first);
// Input `index` as [rows, last]: its leading dimensions in `dims`, their product returned.
int64_t read_rows(const char* what, const Input& input, int64_t last);

}  // namespace halftone::ops
