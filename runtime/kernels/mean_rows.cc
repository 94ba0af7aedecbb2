// SPDX-License-Identifier: Apache-2.0
// The mean of rows, a few columns at a time. Blocks of rows are summed by themselves and then together, so that rounding
// grows with the square root of the number of rows and not with it.
#include "runtime/kernels/mean_rows.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/mean_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

template <bool kWhole>
HWY_INLINE VF MeanOfColumns(const float* x, size_t stride, size_t rows, size_t count) {
  constexpr size_t kBlock = 16;
  VF total = hn::Zero(kF32);
  for (size_t row = 0; row < rows; row += kBlock) {
    VF sum = hn::Zero(kF32);
    const size_t end = std::min(rows, row + kBlock);
    for (size_t r = row; r < end; ++r) sum = hn::Add(sum, Load<kWhole>(x + r * stride, count));
    total = hn::Add(total, sum);
  }
  return hn::Mul(total, hn::Set(kF32, 1.0f / static_cast<float>(rows)));
}

void MeanRows(const float* x, size_t x_stride, size_t D, size_t first, size_t last, float* out) {
  constexpr size_t N = hn::MaxLanes(kF32);
  x += first * x_stride;
  size_t i = 0;
  for (; i + N <= D; i += N) hn::StoreU(MeanOfColumns<true>(x + i, x_stride, last - first, N), kF32, out + i);
  if (i < D) hn::StoreN(MeanOfColumns<false>(x + i, x_stride, last - first, D - i), kF32, out + i, D - i);
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(MeanRows);

void MeanRows(const float* x, size_t x_stride, size_t D, size_t first, size_t last, float* out) {
  HWY_DYNAMIC_DISPATCH(MeanRows)(x, x_stride, D, first, last, out);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
