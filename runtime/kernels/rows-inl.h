// SPDX-License-Identifier: Apache-2.0
// Shared by the vector kernels: the range of a row, and writing f32 vectors as a row of int8. A kernel
// includes this after highway.h. It is compiled for every instruction set, so it has no include guard.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/kernels/rows.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;
using VI = hn::Vec<I32>;

constexpr F32 kF32;
constexpr I32 kI32;

/// The smallest and the largest value of each lane.
struct Range {
  VF min, max;

  HWY_INLINE void Add(VF v) {
    min = hn::Min(min, v);
    max = hn::Max(max, v);
  }
  HWY_INLINE void Add(const Range& other) {
    min = hn::Min(min, other.min);
    max = hn::Max(max, other.max);
  }
};

HWY_INLINE Range EmptyRange() {
  return {hn::Set(kF32, hwy::HighestValue<float>()), hn::Set(kF32, hwy::LowestValue<float>())};
}

HWY_INLINE Range RangeOf(const float* HWY_RESTRICT x, size_t n) {
  constexpr size_t N = hn::MaxLanes(kF32);
  Range a = EmptyRange(), b = a;
  size_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    a.Add(hn::LoadU(kF32, x + i));
    b.Add(hn::LoadU(kF32, x + i + N));
    a.Add(hn::LoadU(kF32, x + i + 2 * N));
    b.Add(hn::LoadU(kF32, x + i + 3 * N));
  }
  a.Add(b);
  // The lanes after the end are zeros, which every range contains.
  for (; i < n; i += N) a.Add(hn::LoadN(kF32, x + i, HWY_MIN(N, n - i)));
  return a;
}

// Rounding of value * scale + zero_point to an integer. On NEON the addend includes 1.5 * 2^23, so that the
// integer is in the low bits of the sum. 32-bit ARM has no instruction that rounds to nearest, and 64-bit ARM
// saves one instruction. StoreBytes reads only the lower 16 bits.
#if HWY_TARGET_IS_NEON
constexpr float kRounder = 12582912.0f;
constexpr int32_t kRounderBits = 0x4B400000;
HWY_INLINE VI RoundToBits(VF v) { return hn::BitCast(kI32, v); }
#else
constexpr float kRounder = 0.0f;
constexpr int32_t kRounderBits = 0;
HWY_INLINE VI RoundToBits(VF v) { return hn::NearestInt(v); }
#endif

/// Loads a whole vector, or `count` lanes and zeros.
template <bool kWhole>
HWY_INLINE VF Load(const float* x, size_t count) {
  if constexpr (kWhole) return hn::LoadU(kF32, x);
  return hn::LoadN(kF32, x, count);
}

/// Returns v with copies of the first lane in the lanes from `count` on, so that they do not widen a range.
HWY_INLINE VF RepeatFirst(VF v, size_t count) {
  return hn::IfThenElse(hn::FirstN(kF32, count), v, hn::Set(kF32, hn::GetLane(v)));
}

/// Writes four vectors of RoundToBits as int8. The integers are in [-2^15, 2^15) and saturate.
HWY_INLINE void StoreBytes(VI a, VI b, VI c, VI d, int8_t* out) {
  const hn::Repartition<int16_t, F32> d16;
  const hn::Repartition<int8_t, F32> d8;
#if HWY_TARGET_IS_NEON
  const auto low = hn::ConcatEven(d16, hn::BitCast(d16, b), hn::BitCast(d16, a));
  const auto high = hn::ConcatEven(d16, hn::BitCast(d16, d), hn::BitCast(d16, c));
#else
  const auto low = hn::OrderedDemote2To(d16, a, b);
  const auto high = hn::OrderedDemote2To(d16, c, d);
#endif
  hn::StoreU(hn::OrderedDemote2To(d8, low, high), d8, out);
}

/// The same for the first `count` lanes of one vector.
HWY_INLINE void StoreBytesN(VI a, int8_t* out, size_t count) {
  const hn::Rebind<int8_t, F32> d8;
  hn::StoreN(hn::DemoteTo(d8, hn::Sub(a, hn::Set(kI32, kRounderBits))), d8, out, count);
}

/// Returns (value - center) * scale + zero_point, rounded. Its magnitude must be below 2^15. kCenter = false:
/// center is 0.
template <bool kCenter>
struct BytesOfRange {
  VF center, scale, rounder;

  BytesOfRange(float center, float scale, float zero_point)
      : center(hn::Set(kF32, center)),
        scale(hn::Set(kF32, scale)),
        rounder(hn::Set(kF32, kRounder + zero_point)) {}
  HWY_INLINE VI operator()(VF v) const {
    return RoundToBits(hn::MulAdd(kCenter ? hn::Sub(v, center) : v, scale, rounder));
  }
};

/// Returns the same for any values, saturated.
struct BytesOfAnything {
  VF center, scale, min, max, rounder;

  BytesOfAnything(float center, float scale, float zero_point)
      : center(hn::Set(kF32, center)),
        scale(hn::Set(kF32, scale)),
        min(hn::Set(kF32, -128.0f - zero_point)),
        max(hn::Set(kF32, 127.0f - zero_point)),
        rounder(hn::Set(kF32, kRounder + zero_point)) {}
  HWY_INLINE VI operator()(VF v) const {
    v = hn::Mul(hn::Sub(v, center), scale);
    return RoundToBits(hn::Add(hn::Min(hn::Max(v, min), max), rounder));
  }
};

/// Sets out[i] to bytes_of(x[i]), with 0.25 stores and 1 load per vector.
template <class Function>
HWY_INLINE void StoreRow(const float* HWY_RESTRICT x, size_t n, const Function& bytes_of,
                         int8_t* HWY_RESTRICT out) {
  constexpr size_t N = hn::MaxLanes(kF32);
  size_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    StoreBytes(bytes_of(hn::LoadU(kF32, x + i)), bytes_of(hn::LoadU(kF32, x + i + N)),
               bytes_of(hn::LoadU(kF32, x + i + 2 * N)), bytes_of(hn::LoadU(kF32, x + i + 3 * N)), out + i);
  }
  for (; i < n; i += N) {
    const size_t count = HWY_MIN(N, n - i);
    StoreBytesN(bytes_of(hn::LoadN(kF32, x + i, count)), out + i, count);
  }
}

/// Quantizes (x[i] - center) * scale to row `row` of `out`; scale >= 0. `range` contains all x[i]; only kQd8
/// uses it.
template <bool kCenter>
HWY_INLINE void QuantizeRow(const float* x, size_t n, float center, float scale, const Range& range,
                            const OutputRows& out, size_t row) {
  int8_t* bytes = static_cast<int8_t*>(out.data) + row * out.stride;
  if (out.type == RowType::kQs8) {
    const RowQuantizer q = QuantizerOf(out.quantization[0]);
    const float zero_point = static_cast<float>(q.quantization.zero_point);
    StoreRow(x, n, BytesOfAnything(center, scale * q.inverse_scale, zero_point), bytes);
  } else {
    const RowQuantizer q = QuantizerOf((hn::ReduceMin(kF32, range.min) - center) * scale,
                                       (hn::ReduceMax(kF32, range.max) - center) * scale);
    const float zero_point = static_cast<float>(q.quantization.zero_point);
    out.quantization[row] = q.quantization;
    StoreRow(x, n, BytesOfRange<kCenter>(center, scale * q.inverse_scale, zero_point), bytes);
  }
}

/// Writes n values to row `row` of `out`, of any type.
HWY_INLINE void WriteRow(const float* x, size_t n, const OutputRows& out, size_t row) {
  if (out.type == RowType::kF32) {
    std::memcpy(static_cast<float*>(out.data) + row * out.stride, x, n * sizeof(float));
    return;
  }
  const Range range = out.type == RowType::kQd8 ? RangeOf(x, n) : EmptyRange();
  QuantizeRow<false>(x, n, 0.0f, 1.0f, range, out, row);
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
