// SPDX-License-Identifier: Apache-2.0
// Rotary positions, a vector of points at a time.
#include "runtime/kernels/rotate_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/rotate_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

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

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(RotateRows);

void RotateRows(const RotateRowsArguments& arguments, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(RotateRows)(arguments, first, last);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
