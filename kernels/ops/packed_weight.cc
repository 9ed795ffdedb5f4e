#include "packed_weight.h"

#include <stdexcept>

namespace halftone::ops {

WeightFormat read_format(const char* op, const Attributes& attributes) {
  WeightFormat format;
  format.cols = attributes.required("K");
  format.bits = static_cast<int>(attributes.required("bits"));
  int64_t group = attributes.optional("group", 0);
  if (format.cols < 1)
    throw std::invalid_argument(std::string(op) + ": K is " + std::to_string(format.cols) +
                                ", expected a positive number");
  if (format.bits != 2 && format.bits != 3 && format.bits != 4 && format.bits != 8)
    throw std::invalid_argument(std::string(op) + ": bits is " + std::to_string(format.bits) +
                                ", expected 2, 3, 4 or 8");
  if (group < 0 || group % unpacked_at_once != 0 || (group > 0 && format.cols % group != 0)) {
    throw std::invalid_argument(std::string(op) + ": group is " + std::to_string(group) +
                                ", expected 0 or a multiple of 16 that divides K = " + std::to_string(format.cols));
  }
  format.group = group ? group : format.cols;
  return format;
}

PackedWeight read_weight(const WeightFormat& format, const Call& call, size_t first) {
  Input codes = call.input(first), scales = call.input(first + 1), zeros = call.input(first + 2);
  int64_t rows = codes.dims.empty() ? 0 : codes.dims[0];
  PackedWeight weight = {codes.bytes(), scales.floats(), zeros.floats(), rows, format.cols, format.group, format.bits};
  expect_dims("codes", codes.dims, {weight.rows, weight.row_bytes});
  expect_dims("scales", scales.dims, {weight.rows, weight.groups});
  if (zeros.data) expect_dims("zeros", zeros.dims, {weight.rows, weight.groups});
  return weight;
}

int64_t read_rows(const char* what, const Input& input, int64_t last) {
  if (input.dims.empty() || input.dims.back() != last) {
    throw std::invalid_argument(std::string(what) + " ends in dimension " +
                                (input.dims.empty() ? "none" : std::to_string(input.dims.back())) + ", expected " +
                                std::to_string(last));
  }
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < input.dims.size(); i++) rows *= input.dims[i];
  return rows;
}

}  // namespace halftone::ops
