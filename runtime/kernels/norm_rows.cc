// SPDX-License-Identifier: Apache-2.0
// Residual addition, LayerNorm and quantization. The kernel reads a row once for its sums (and its range), a
// second time for an exact variance only if the mean is large against the deviation, and once more to write
// the result.
#include "runtime/kernels/norm_rows.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/norm_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

/// The sums of v and of its square over a row, where v is x, or x += delta; and the range of v.
template <bool kRange, bool kDelta>
struct Sums {
  VF sum, squares;
  Range range;

  HWY_INLINE void Add(float* x, const float* delta, size_t i) {
    VF v = hn::LoadU(kF32, x + i);
    if constexpr (kDelta) {
      v = hn::Add(v, hn::LoadU(kF32, delta + i));
      hn::StoreU(v, kF32, x + i);
    }
    Add(v);
  }
  HWY_INLINE void Add(VF v) {
    sum = hn::Add(sum, v);
    squares = hn::MulAdd(v, v, squares);
    if constexpr (kRange) range.Add(v);
  }
  HWY_INLINE void Add(const Sums& other) {
    sum = hn::Add(sum, other.sum);
    squares = hn::Add(squares, other.squares);
    if constexpr (kRange) range.Add(other.range);
  }
};

struct Moments {
  float mean, variance;
  Range range;
};

/// Returns the moments about zero. A variance that is small against the square of the mean has lost digits.
template <bool kRange, bool kDelta>
HWY_NOINLINE Moments PlainMoments(float* HWY_RESTRICT x, const float* HWY_RESTRICT delta, size_t n) {
  constexpr size_t N = hn::MaxLanes(kF32);
  Sums<kRange, kDelta> a = {hn::Zero(kF32), hn::Zero(kF32), EmptyRange()}, b = a;
  size_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    a.Add(x, delta, i);
    b.Add(x, delta, i + N);
    a.Add(x, delta, i + 2 * N);
    b.Add(x, delta, i + 3 * N);
  }
  a.Add(b);
  for (; i + N <= n; i += N) a.Add(x, delta, i);
  if (i < n) {
    // The lanes after the end are zero and do not change the sums.
    VF v = hn::LoadN(kF32, x + i, n - i);
    if constexpr (kDelta) {
      v = hn::Add(v, hn::LoadN(kF32, delta + i, n - i));
      hn::StoreN(v, kF32, x + i, n - i);
    }
    a.sum = hn::Add(a.sum, v);
    a.squares = hn::MulAdd(v, v, a.squares);
    if constexpr (kRange) a.range.Add(RepeatFirst(v, n - i));
  }
  const float mean = hn::ReduceSum(kF32, a.sum) / static_cast<float>(n);
  return {mean, hn::ReduceSum(kF32, a.squares) / static_cast<float>(n) - mean * mean, a.range};
}

/// Replaces moments about zero by moments about the mean, which keeps the digits.
HWY_NOINLINE void CenterMoments(const float* HWY_RESTRICT x, size_t n, Moments* moments) {
  constexpr size_t N = hn::MaxLanes(kF32);
  const VF center = hn::Set(kF32, moments->mean);
  Sums<false, false> sums = {hn::Zero(kF32), hn::Zero(kF32), EmptyRange()};
  size_t i = 0;
  for (; i + N <= n; i += N) sums.Add(hn::Sub(hn::LoadU(kF32, x + i), center));
  if (i < n) {
    const VF rest = hn::Sub(hn::LoadN(kF32, x + i, n - i), center);
    sums.Add(hn::IfThenElseZero(hn::FirstN(kF32, n - i), rest));
  }
  const float shift = hn::ReduceSum(kF32, sums.sum) / static_cast<float>(n);
  moments->mean += shift;
  moments->variance = hn::ReduceSum(kF32, sums.squares) / static_cast<float>(n) - shift * shift;
}

/// (x[i] - mean) * scale * gamma[i] + beta[i]; gamma or beta may be null.
struct Affine {
  float mean, scale;
  const float *gamma, *beta;

  template <bool kGamma, bool kBeta, bool kWhole>
  HWY_INLINE VF Of(const float* x, size_t i, size_t count) const {
    VF v = hn::Mul(hn::Sub(Load<kWhole>(x + i, count), hn::Set(kF32, mean)), hn::Set(kF32, scale));
    if constexpr (kGamma) v = hn::Mul(v, Load<kWhole>(gamma + i, count));
    if constexpr (kBeta) v = hn::Add(v, Load<kWhole>(beta + i, count));
    return v;
  }
};

/// Writes the affine transform of a row to y, which may be x; returns the range of y.
template <bool kGamma, bool kBeta>
HWY_NOINLINE Range WriteF32(const float* x, size_t n, const Affine affine, float* y) {
  constexpr size_t N = hn::MaxLanes(kF32);
  Range range = EmptyRange();
  size_t i = 0;
  for (; i + N <= n; i += N) {
    const VF v = affine.Of<kGamma, kBeta, true>(x, i, N);
    range.Add(v);
    hn::StoreU(v, kF32, y + i);
  }
  if (i < n) {
    const VF v = affine.Of<kGamma, kBeta, false>(x, i, n - i);
    range.Add(RepeatFirst(v, n - i));
    hn::StoreN(v, kF32, y + i, n - i);
  }
  return range;
}

Moments MomentsOf(float* x, const float* delta, size_t n, bool with_range) {
  const auto plain_moments = with_range ? (delta ? PlainMoments<true, true> : PlainMoments<true, false>)
                                        : (delta ? PlainMoments<false, true> : PlainMoments<false, false>);
  Moments m = plain_moments(x, delta, n);
  // The variance about zero loses a factor of mean^2 / variance in precision: at most 4 here.
  if (!(m.mean * m.mean <= 4.0f * m.variance)) CenterMoments(x, n, &m);
  return m;
}

void NormRows(const NormRowsArguments& a, size_t first, size_t last, void* scratch) {
  const bool is_f32 = a.out.type == RowType::kF32;
  const bool is_affine = a.gamma != nullptr || a.beta != nullptr;
  const bool with_range = a.out.type == RowType::kQd8 && !is_affine;
  const auto write_f32 = a.gamma ? (a.beta ? WriteF32<true, true> : WriteF32<true, false>)
                                 : (a.beta ? WriteF32<false, true> : WriteF32<false, false>);
  for (size_t row = first; row < last; ++row) {
    float* x = a.x + row * a.x_stride;
    const Moments m = MomentsOf(x, a.delta ? a.delta + row * a.delta_stride : nullptr, a.D, with_range);
    const float scale = 1.0f / std::sqrt(m.variance + a.epsilon);
    if (is_f32 || is_affine) {
      float* y = static_cast<float*>(is_f32 ? a.out.data : scratch) + (is_f32 ? row * a.out.stride : 0);
      const Range range = write_f32(x, a.D, {m.mean, scale, a.gamma, a.beta}, y);
      if (!is_f32) QuantizeRow<false>(y, a.D, 0.0f, 1.0f, range, a.out, row);
    } else {
      QuantizeRow<true>(x, a.D, m.mean, scale, m.range, a.out, row);
    }
  }
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(NormRows);

void NormRows(const NormRowsArguments& arguments, size_t first, size_t last, void* scratch) {
  HWY_DYNAMIC_DISPATCH(NormRows)(arguments, first, last, scratch);
}

void NormRowsReference(const NormRowsArguments& a, size_t first, size_t last, void* scratch) {
  float* y = static_cast<float*>(scratch);
  for (size_t row = first; row < last; ++row) {
    float* x = a.x + row * a.x_stride;
    if (a.delta != nullptr) {
      for (size_t i = 0; i < a.D; ++i) x[i] += a.delta[row * a.delta_stride + i];
    }
    double mean = 0, variance = 0;
    for (size_t i = 0; i < a.D; ++i) mean += x[i];
    mean /= static_cast<double>(a.D);
    for (size_t i = 0; i < a.D; ++i) variance += (x[i] - mean) * (x[i] - mean);
    variance /= static_cast<double>(a.D);
    for (size_t i = 0; i < a.D; ++i) {
      const double normal = (x[i] - mean) / std::sqrt(variance + a.epsilon);
      y[i] = static_cast<float>(normal * (a.gamma ? a.gamma[i] : 1.0) + (a.beta ? a.beta[i] : 0.0));
    }
    WriteRowReference(y, a.D, a.out, row);
  }
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
