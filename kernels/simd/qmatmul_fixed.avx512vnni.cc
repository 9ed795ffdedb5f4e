// One row of activations times packed codes in integers. The row is written in fixed point, 128 values to a step of
// their own:
//   a = step (2^16 d2 + 2^8 d1 + d0), signed bytes, the largest |a| of the 128 at 127 · 2^16 steps,
// so that it loses no more than floats lose when they are added up. Sixteen 32-bit sums take 64 products of bytes at an
// instruction and are exact; floats would have to be converted sixteen codes at a time.
#include "avx512.h"

#include "qmatmul.h"

namespace halftone {
namespace {

constexpr int64_t chunk = fixed_chunk;
constexpr float largest = 127 * 65536.0f;
// Below this the step is not a normal float.
constexpr float least_maximum = 1e-28f;

// Which code of a chunk byte b of vector v holds.
constexpr int code_at(int bits, int v, int b) {
  if (bits == 2) return 4 * (b % 32) + 2 * (b / 32) + v;
  if (bits == 3) return 16 * (b / 8) + 8 * v + b % 8;
  return 2 * b + v;
}

// The four bytes of a sum hold codes of one group of 32: which of the chunk's four.
constexpr int group_at(int bits, int sum) { return code_at(bits, 0, 4 * sum) / 32; }

// For three bits: every sixteen codes, six bytes, go to a word of eight bytes; from there each code to a byte.
struct Windows {
  uint8_t bytes[64], shifts[2][64];
};
constexpr Windows make_windows() {
  Windows made = {};
  for (int b = 0; b < 64; b++) {
    made.bytes[b] = static_cast<uint8_t>(6 * (b / 8) + (b % 8 < 6 ? b % 8 : 0));
    for (int v = 0; v < 2; v++) made.shifts[v][b] = static_cast<uint8_t>(3 * (8 * v + b % 8));
  }
  return made;
}
constexpr Windows windows = make_windows();

// The 128 codes at p, one a byte; `present` has a bit for every byte that may be read.
template <int bits>
void unpack_chunk(const uint8_t* p, __mmask64 present, __m512i* out) {
  const __m512i mask = _mm512_set1_epi8((1 << bits) - 1);
  if constexpr (bits == 2) {
    const __m512i halves = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi32(4), 1);
    __m512i x =
        _mm512_srlv_epi32(_mm512_broadcast_i64x4(_mm256_maskz_loadu_epi8(static_cast<__mmask32>(present), p)), halves);
    out[0] = _mm512_and_si512(x, mask);
    out[1] = _mm512_and_si512(_mm512_srli_epi16(x, 2), mask);
  } else if constexpr (bits == 3) {
    __m512i x = _mm512_permutexvar_epi8(_mm512_loadu_si512(windows.bytes), _mm512_maskz_loadu_epi8(present, p));
    for (int v = 0; v < 2; v++)
      out[v] = _mm512_and_si512(_mm512_multishift_epi64_epi8(_mm512_loadu_si512(windows.shifts[v]), x), mask);
  } else {
    __m512i x = _mm512_maskz_loadu_epi8(present, p);
    out[0] = _mm512_and_si512(x, mask);
    out[1] = _mm512_and_si512(_mm512_srli_epi16(x, 4), mask);
  }
}

__m512i add_digit(__m512i sum, const __m512i* q, const __m512i* d) {
  return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, q[0], d[0]), q[1], d[1]);
}

// The largest |a| of a chunk; NaN where a value is NaN or infinite.
float maximum_of(const float* a) {
  __m512 most = _mm512_setzero_ps(), spoiled = _mm512_setzero_ps();
  for (int i = 0; i < chunk; i += 16) {
    __m512 x = _mm512_loadu_ps(a + i);
    most = _mm512_max_ps(most, _mm512_abs_ps(x));
    spoiled = _mm512_fmadd_ps(x, _mm512_setzero_ps(), spoiled);
  }
  return _mm512_reduce_max_ps(most) + _mm512_reduce_add_ps(spoiled);
}

template <int bits>
bool fix_chunk(const float* a, bool symmetric, const FixedRow& row, int64_t c) {
  float maximum = maximum_of(a);
  if (!(maximum == 0 || maximum >= least_maximum)) return false;
  row.steps[c] = maximum / largest;
  int32_t fixed[chunk];
  const __m512 inverse = _mm512_set1_ps(maximum == 0 ? 0 : largest / maximum);
  for (int i = 0; i < chunk; i += 16)
    _mm512_storeu_si512(fixed + i, _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(a + i), inverse)));
  for (int i = 0; i < 16; i++) {
    int32_t sum = 0;
    for (int b = 4 * i; b < 4 * i + 4; b++) sum += fixed[code_at(bits, 0, b)] + fixed[code_at(bits, 1, b)];
    row.starts[16 * c + i] = symmetric ? -sum * (1 << (bits - 1)) : 0;
  }
  int8_t* digits = row.digits + 3 * chunk * c;
  for (int digit = 0; digit < 3; digit++) {
    int8_t low[chunk];
    for (int i = 0; i < chunk; i++) {
      low[i] = static_cast<int8_t>(fixed[i]);
      fixed[i] = (fixed[i] - low[i]) >> 8;
    }
    for (int b = 0; b < chunk; b++) digits[digit * chunk + b] = low[code_at(bits, b / 64, b % 64)];
  }
  return true;
}

template <int bits>
bool fix_row(const float* a, int64_t cols, bool symmetric, const FixedRow& row) {
  int64_t whole = cols / chunk;
  for (int64_t c = 0; c < whole; c++) {
    if (!fix_chunk<bits>(a + c * chunk, symmetric, row, c)) return false;
  }
  float last[chunk] = {};
  for (int64_t k = whole * chunk; k < cols; k++) last[k - whole * chunk] = a[k];
  return cols % chunk == 0 || fix_chunk<bits>(last, symmetric, row, whole);
}

// How a row of the weight is cut into chunks, the same for all rows.
template <int bits>
struct Cut {
  static constexpr int64_t bytes = chunk * bits / 8;
  int64_t row_bytes, groups, chunks, chunks_in_group, groups_in_chunk;
  __mmask64 last_bytes;  // of the last chunk
  __mmask16 last_scales;
  __m512i which;  // the group of each sum

  explicit Cut(const PackedWeight& w) : row_bytes(w.row_bytes), groups(w.groups), chunks((w.cols + chunk - 1) / chunk) {
    chunks_in_group = w.group < chunk ? 1 : (w.group + chunk - 1) / chunk;
    groups_in_chunk = w.group < chunk && groups > 1 ? chunk / w.group : 1;
    last_bytes = ~__mmask64(0) >> (64 - (row_bytes - (chunks - 1) * bytes));
    last_scales = first_scales(chunks_in_group == 1 ? groups - (chunks - 1) * groups_in_chunk : 1);
    alignas(64) int32_t group_of_sum[16];
    for (int i = 0; i < 16; i++) group_of_sum[i] = static_cast<int32_t>(group_at(bits, i) * groups_in_chunk / 4);
    which = _mm512_load_si512(group_of_sum);
  }
  static __mmask16 first_scales(int64_t count) { return static_cast<__mmask16>((1 << count) - 1); }
};

template <int R, int bits>
struct Rows {
  const Cut<bits>& cut;
  const uint8_t* codes;
  const float* scales;
  __m512 total[R];

  void add(const FixedRow& row, int64_t c, __mmask64 bytes, __mmask16 present) {
    const __m512 step = _mm512_set1_ps(row.steps[c]);
    const __m512i start = _mm512_loadu_si512(row.starts + 16 * c);
    __m512i digits[6];
    for (int i = 0; i < 6; i++) digits[i] = _mm512_loadu_si512(row.digits + (6 * c + i) * 64);
    for (int r = 0; r < R; r++) {
      __m512i q[2];
      unpack_chunk<bits>(codes + r * cut.row_bytes, bytes, q);
      // The rows after these, at the same place: too short for the processor to see that they will be read.
      _mm_prefetch(reinterpret_cast<const char*>(codes + (r + R) * cut.row_bytes), _MM_HINT_T0);
      __m512i high = add_digit(_mm512_setzero_si512(), q, digits + 4),
              middle = add_digit(_mm512_setzero_si512(), q, digits + 2), low = add_digit(start, q, digits);
      // At most 8 · 15 · 127 · 2^16 < 2^30 in magnitude.
      __m512i fixed = _mm512_add_epi32(_mm512_slli_epi32(_mm512_add_epi32(_mm512_slli_epi32(high, 8), middle), 8), low);
      __m512 scale = _mm512_permutexvar_ps(cut.which, _mm512_maskz_loadu_ps(present, scales + r * cut.groups));
      total[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(fixed), _mm512_mul_ps(scale, step), total[r]);
    }
    codes += cut.bytes;
  }

  void sum(const FixedRow& row, float* out) {
    const __mmask64 all_bytes = ~__mmask64(0) >> (64 - cut.bytes);
    const __mmask16 all_scales = cut.first_scales(cut.groups_in_chunk);
    for (int r = 0; r < R; r++) total[r] = _mm512_setzero_ps();
    for (int64_t g = 0; g < R * cut.groups; g += 16) _mm_prefetch(reinterpret_cast<const char*>(scales + R * cut.groups + g), _MM_HINT_T0);
    int64_t left = cut.chunks_in_group;
    for (int64_t c = 0; c + 1 < cut.chunks; c++) {
      add(row, c, all_bytes, all_scales);
      if (--left > 0) continue;
      left = cut.chunks_in_group;
      scales += cut.groups_in_chunk;
    }
    add(row, cut.chunks - 1, cut.last_bytes, cut.last_scales);
    for (int r = 0; r < R; r++) out[r] = _mm512_reduce_add_ps(total[r]);
  }
};

template <int bits>
void dot_rows(const PackedWeight& w, const FixedRow& row, float* y, int64_t begin, int64_t end) {
  const Cut<bits> cut(w);
  int64_t n = begin;
  for (; n + 4 <= end; n += 4) Rows<4, bits>{cut, w.row(n), w.scales + n * cut.groups, {}}.sum(row, y + n);
  for (; n < end; n++) Rows<1, bits>{cut, w.row(n), w.scales + n * cut.groups, {}}.sum(row, y + n);
}

}  // namespace

const FixedTable qmatmul_fixed_avx512vnni = {
    {fix_row<2>, dot_rows<2>}, {fix_row<3>, dot_rows<3>}, {fix_row<4>, dot_rows<4>}};

}  // namespace halftone
