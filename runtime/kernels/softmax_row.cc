// SPDX-License-Identifier: Apache-2.0
// Softmax of one row: the largest value, the exponentials and their sum, the division.
#include "runtime/kernels/softmax_row.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/softmax_row.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

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

HWY_EXPORT(SoftmaxRow);

void SoftmaxRow(const float* x, size_t n, float* out) { HWY_DYNAMIC_DISPATCH(SoftmaxRow)(x, n, out); }

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
