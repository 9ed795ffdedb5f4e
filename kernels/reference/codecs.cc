// The table of storage formats, and their scalar functions.
#include "codecs.h"

#include <stdexcept>

#include "codec_formats.h"
#include "codec_iq.h"
#include "codec_set.h"

namespace halftone {
namespace {

void fit_one(const Codec& codec, const float* x, const float* importance, float sigma2, Fit fit, int64_t n, uint8_t* block) {
  codec.fit_many(codec, {1, n, x, 0, importance, 0, &sigma2, 0, block, 0}, fit);
}

template <int Bytes>
Codec read_only(const char* name, int bits, void (*decode)(const Codec&, const uint8_t*, int64_t, float*)) {
  return {name, 256, bits, true, [](const Codec&, int64_t) { return static_cast<size_t>(Bytes); }, decode, nullptr, nullptr, nullptr, nullptr, nullptr};
}

const CodecKernels& kernels_of(std::span<const CodecKernels> kernels, std::string_view name) {
  for (const CodecKernels& one : kernels) {
    if (one.name == name) return one;
  }
  throw std::logic_error("codec without kernels: " + std::string(name));
}

// F32, F16, BF16: no codes and nothing to fit. Blocks of one weight, any number of them at once.
template <int Bytes>
Codec plain(std::span<const CodecKernels> kernels, const char* name) {
  const CodecKernels& use = kernels_of(kernels, name);
  return {name, 1, 8 * Bytes, true, [](const Codec&, int64_t n) { return static_cast<size_t>(n) * Bytes; }, use.decode, fit_one, use.fit_many, nullptr, nullptr, nullptr};
}

template <class Format>
Codec gguf(std::span<const CodecKernels> kernels, bool symmetric) {
  const CodecKernels& use = kernels_of(kernels, Format::name);
  return {Format::name, Format::block, Format::bits, symmetric,
          [](const Codec&, int64_t) { return static_cast<size_t>(Format::bytes); },
          use.decode, fit_one, use.fit_many,
          [](const Codec&, const uint8_t* block, int64_t, Grid* g) { Format::grid(block, g); },
          [](const Codec&, const uint8_t* codes, int64_t, uint8_t* block) { Format::pack(codes, block); }, set_parts<Format>};
}

template <class Format>
void add_int(std::span<const CodecKernels> kernels, std::vector<Codec>* table) {
  const std::string first = "int" + std::to_string(Format::bits), last = Format::symmetric ? "-sym" : "";
  const CodecKernels& use = kernels_of(kernels, first + last);
  for (int64_t group : {32, 64, 128, 0}) {
    table->push_back({first + (group ? "-g" + std::to_string(group) : "-channel") + last, group, Format::bits, Format::symmetric,
                      [](const Codec&, int64_t n) { return Format::block_bytes(n); },
                      use.decode, fit_one, use.fit_many,
                      [](const Codec&, const uint8_t* block, int64_t n, Grid* g) { Format::grid(block, n, g); },
                      [](const Codec&, const uint8_t* codes, int64_t n, uint8_t* block) { Format::pack(codes, n, block); }, set_parts<Format>});
  }
}

}  // namespace

std::span<const CodecKernels> codec_kernels_scalar() { return codec_kernels<Lane>; }

std::vector<Codec> make_codecs(std::span<const CodecKernels> kernels) {
  std::vector<Codec> table{
      plain<4>(kernels, "F32"),
      plain<2>(kernels, "F16"),
      plain<2>(kernels, "BF16"),
      gguf<Q8_0>(kernels, true),
      gguf<Q4_0>(kernels, true),
      gguf<Q4_1>(kernels, false),
      gguf<Q5_0>(kernels, true),
      gguf<Q5_1>(kernels, false),
      gguf<IQ4_NL>(kernels, true),
      gguf<IQ4_XS>(kernels, true),
      gguf<MXFP4>(kernels, true),
      gguf<TQ1_0>(kernels, true),
      gguf<TQ2_0>(kernels, true),
      gguf<Q2_K>(kernels, false),
      gguf<Q3_K>(kernels, true),
      gguf<Q4_K>(kernels, false),
      gguf<Q5_K>(kernels, false),
      gguf<Q6_K>(kernels, true),
      read_only<66>("IQ2_XXS", 2, decode_iq2_xxs),
      read_only<74>("IQ2_XS", 2, decode_iq2_xs),
      read_only<82>("IQ2_S", 2, decode_iq2_s),
      read_only<98>("IQ3_XXS", 3, decode_iq3_xxs),
      read_only<110>("IQ3_S", 3, decode_iq3_s),
  };
  add_int<Int<2, false>>(kernels, &table);
  add_int<Int<2, true>>(kernels, &table);
  add_int<Int<3, false>>(kernels, &table);
  add_int<Int<3, true>>(kernels, &table);
  add_int<Int<4, false>>(kernels, &table);
  add_int<Int<4, true>>(kernels, &table);
  add_int<Int<8, false>>(kernels, &table);
  add_int<Int<8, true>>(kernels, &table);
  return table;
}

}  // namespace halftone
