// SPDX-License-Identifier: Apache-2.0
// The short row kernels, a vector at a time.
#include "runtime/kernels/row_kernels.h"

#include <algorithm>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/row_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

/// Writes n pixels - 128 as int8, by flipping the highest bit.
HWY_INLINE void CopyRun(const uint8_t* HWY_RESTRICT pixels, size_t n, int8_t* HWY_RESTRICT out) {
  const hn::CappedTag<uint8_t, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr size_t N = hn::MaxLanes(d);
  const auto flip = hn::Set(d, uint8_t{0x80});
  size_t i = 0;
  for (; i + N <= n; i += N) {
    hn::StoreU(hn::BitCast(di, hn::Xor(hn::LoadU(d, pixels + i), flip)), di, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<int8_t>(pixels[i] ^ 0x80);
}

/// Writes n pixels - zero as f32.
HWY_INLINE void CopyRun(const uint8_t* HWY_RESTRICT pixels, size_t n, float zero, float* HWY_RESTRICT out) {
  const hn::Rebind<uint8_t, F32> d8;
  constexpr size_t N = hn::MaxLanes(kF32);
  const VF zeros = hn::Set(kF32, zero);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    const VF v = hn::ConvertTo(kF32, hn::PromoteTo(kI32, hn::LoadU(d8, pixels + i)));
    hn::StoreU(hn::Sub(v, zeros), kF32, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<float>(pixels[i]) - zero;
}

void PixelsToRows(const PixelsToRowsArguments& a, size_t first, size_t last) {
  const size_t across = a.image_width / a.patch_width;
  const size_t run = a.patch_width * a.channels, image_row = a.image_width * a.channels;
  for (size_t patch = first; patch < last; ++patch) {
    const uint8_t* pixels = a.pixels + patch / across * a.patch_height * image_row + patch % across * run;
    for (size_t y = 0; y < a.patch_height; ++y, pixels += image_row) {
      const size_t element = patch * a.out.stride + y * run;
      if (a.out.type == RowType::kF32) {
        CopyRun(pixels, run, static_cast<float>(128 + a.zero_point),
                static_cast<float*>(a.out.data) + element);
      } else {
        CopyRun(pixels, run, static_cast<int8_t*>(a.out.data) + element);
      }
    }
    if (a.out.type == RowType::kQd8) a.out.quantization[patch] = {a.zero_point, 1.0f};
  }
}

void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last) {
  for (size_t row = first; row < last; ++row) {
    const float* values = x + row * x_stride;
    const Range range = out.type == RowType::kQd8 ? RangeOf(values, columns) : EmptyRange();
    QuantizeRow<false>(values, columns, 0.0f, 1.0f, range, out, row);
  }
}

/// Rotates the points (x[i], x[i + half]) for one vector of i, or for `count` lanes.
template <bool kWhole>
HWY_INLINE void Rotate(float* x, size_t half, const float* cosine, const float* sine, size_t count) {
  const VF a = Load<kWhole>(x, count), b = Load<kWhole>(x + half, count);
  const VF c = Load<kWhole>(cosine, count), s = Load<kWhole>(sine, count);
  const VF first = hn::NegMulAdd(b, s, hn::Mul(a, c)), second = hn::MulAdd(a, s, hn::Mul(b, c));
  if constexpr (kWhole) {
    hn::StoreU(first, kF32, x);
    hn::StoreU(second, kF32, x + half);
  } else {
    hn::StoreN(first, kF32, x, count);
    hn::StoreN(second, kF32, x + half, count);
  }
}

void RotateRows(const RotateRowsArguments& a, size_t first, size_t last) {
  constexpr size_t N = hn::MaxLanes(kF32);
  const size_t half = a.K / 2;
  for (size_t row = first; row < last; ++row) {
    const float *cosine = a.table + row * a.K, *sine = cosine + half;
    for (size_t head = 0; head < a.H; ++head) {
      float* x = a.x + row * a.x_stride + head * a.K;
      size_t i = 0;
      for (; i + N <= half; i += N) Rotate<true>(x + i, half, cosine + i, sine + i, N);
      if (i < half) Rotate<false>(x + i, half, cosine + i, sine + i, half - i);
    }
  }
}

/// Returns the sums of one vector of columns. Blocks of rows are added first, then their sums, so that
/// rounding grows with the square root of the number of rows.
template <bool kWhole>
HWY_INLINE VF SumOfColumns(const float* x, size_t stride, const float* weights, size_t rows, size_t count) {
  constexpr size_t kBlock = 16;
  VF total = hn::Zero(kF32);
  for (size_t row = 0; row < rows; row += kBlock) {
    VF sum = hn::Zero(kF32);
    const size_t end = std::min(rows, row + kBlock);
    for (size_t r = row; r < end; ++r) {
      const VF v = Load<kWhole>(x + r * stride, count);
      sum = weights == nullptr ? hn::Add(sum, v) : hn::MulAdd(v, hn::Set(kF32, weights[r]), sum);
    }
    total = hn::Add(total, sum);
  }
  return total;
}

void MeanRows(const float* x, size_t x_stride, const float* weights, size_t D, size_t first, size_t last,
              float* out) {
  constexpr size_t N = hn::MaxLanes(kF32);
  const size_t rows = last - first;
  float count = static_cast<float>(rows);
  if (weights != nullptr) count = std::accumulate(weights + first, weights + last, 0.0f);
  const VF factor = hn::Set(kF32, 1.0f / count);
  x += first * x_stride;
  if (weights != nullptr) weights += first;
  size_t i = 0;
  for (; i + N <= D; i += N) {
    hn::StoreU(hn::Mul(SumOfColumns<true>(x + i, x_stride, weights, rows, N), factor), kF32, out + i);
  }
  if (i < D) {
    hn::StoreN(hn::Mul(SumOfColumns<false>(x + i, x_stride, weights, rows, D - i), factor), kF32, out + i,
               D - i);
  }
}

float LargestOf(const float* x, size_t n) {
  constexpr size_t N = hn::MaxLanes(kF32);
  VF max = hn::Set(kF32, x[0]);
  size_t i = 0;
  for (; i + N <= n; i += N) max = hn::Max(max, hn::LoadU(kF32, x + i));
  if (i < n) max = hn::Max(max, RepeatFirst(hn::LoadN(kF32, x + i, n - i), n - i));
  return hn::ReduceMax(kF32, max);
}

void SoftmaxRow(const float* x, size_t n, float* out) {
  constexpr size_t N = hn::MaxLanes(kF32);
  const VF max = hn::Set(kF32, LargestOf(x, n)), log2e = hn::Set(kF32, kLog2E);
  VF sum = hn::Zero(kF32);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    const VF power = Power2(ClampPower(hn::Mul(hn::Sub(hn::LoadU(kF32, x + i), max), log2e)));
    sum = hn::Add(sum, power);
    hn::StoreU(power, kF32, out + i);
  }
  if (i < n) {
    const VF power = Power2(ClampPower(hn::Mul(hn::Sub(hn::LoadN(kF32, x + i, n - i), max), log2e)));
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(kF32, n - i), power));
    hn::StoreN(power, kF32, out + i, n - i);
  }
  const VF factor = hn::Set(kF32, 1.0f / hn::ReduceSum(kF32, sum));
  for (i = 0; i + N <= n; i += N) hn::StoreU(hn::Mul(hn::LoadU(kF32, out + i), factor), kF32, out + i);
  if (i < n) hn::StoreN(hn::Mul(hn::LoadN(kF32, out + i, n - i), factor), kF32, out + i, n - i);
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(PixelsToRows);
HWY_EXPORT(QuantizeRows);
HWY_EXPORT(RotateRows);
HWY_EXPORT(MeanRows);
HWY_EXPORT(SoftmaxRow);

void PixelsToRows(const PixelsToRowsArguments& arguments, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(PixelsToRows)(arguments, first, last);
}

void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last) {
  HWY_DYNAMIC_DISPATCH(QuantizeRows)(x, x_stride, columns, out, first, last);
}

void RotateRows(const RotateRowsArguments& arguments, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(RotateRows)(arguments, first, last);
}

void MeanRows(const float* x, size_t x_stride, const float* weights, size_t D, size_t first, size_t last,
              float* out) {
  HWY_DYNAMIC_DISPATCH(MeanRows)(x, x_stride, weights, D, first, last, out);
}

void SoftmaxRow(const float* x, size_t n, float* out) { HWY_DYNAMIC_DISPATCH(SoftmaxRow)(x, n, out); }

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
