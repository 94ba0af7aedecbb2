// SPDX-License-Identifier: Apache-2.0
// The mean of rows, a few columns at a time. Blocks of rows are summed by themselves and then together, so
// that rounding grows with the square root of the number of rows and not with it.
#include "runtime/kernels/mean_rows.h"

#include <algorithm>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/mean_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

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

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(MeanRows);

void MeanRows(const float* x, size_t x_stride, const float* weights, size_t D, size_t first, size_t last,
              float* out) {
  HWY_DYNAMIC_DISPATCH(MeanRows)(x, x_stride, weights, D, first, last, out);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
