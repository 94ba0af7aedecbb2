// SPDX-License-Identifier: Apache-2.0
// Activations of rows. GELU to int8 has its own path: the output's range follows from the range of x, so no
// intermediate row is stored, and int8 needs fewer digits. All others go through f32.
#include "runtime/kernels/activation_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/activation_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

/// Returns t^2 + a t + b, given t2 = t^2.
HWY_INLINE VF Quadratic(VF t, VF t2, float a, float b) {
  return hn::MulAdd(t, hn::Set(kF32, a), hn::Add(t2, hn::Set(kF32, b)));
}

HWY_INLINE VF Clamp(VF x, float limit) {
  return hn::Min(hn::Max(x, hn::Set(kF32, -limit)), hn::Set(kF32, limit));
}

// x * Phi(x), where Phi(x) = 1/2 + c P(c^2), c = clamp(x) and P has degree 11, as the product of its real
// factors. The fit minimizes the error relative to max(1/2, |x|): 4e-7, or 1.2e-6 with f32 rounding.
struct GeluErf {
  HWY_INLINE VF operator()(VF x) const {
    const VF c = Clamp(x, 4.8f), t = hn::Mul(c, c), t2 = hn::Mul(t, t);
    VF p = hn::Mul(hn::Mul(c, hn::Set(kF32, -1.56821391e-15f)), hn::Sub(t, hn::Set(kF32, 33.0066191f)));
    p = hn::Mul(p, Quadratic(t, t2, -60.269355f, 986.854455f));
    p = hn::Mul(p, Quadratic(t, t2, -44.7079551f, 731.987382f));
    p = hn::Mul(p, Quadratic(t, t2, -23.8583251f, 443.598441f));
    p = hn::Mul(p, Quadratic(t, t2, -3.53000861f, 222.275703f));
    p = hn::Mul(p, Quadratic(t, t2, 6.00284508f, 108.208625f));
    return hn::Mul(x, hn::Add(p, hn::Set(kF32, 0.5f)));
  }
};

// (1 + tanh(y)) / 2 = sigmoid(2 y)
struct GeluTanh {
  HWY_INLINE VF operator()(VF x) const {
    constexpr float kScale = -2 * 0.797884561f * kLog2E;
    const VF cubic = hn::MulAdd(hn::Mul(x, x), hn::Set(kF32, kScale * 0.044715f), hn::Set(kF32, kScale));
    return DivideByOnePlusPower2(x, hn::Mul(x, cubic));
  }
};

struct QuickGelu {
  HWY_INLINE VF operator()(VF x) const {
    return DivideByOnePlusPower2(x, hn::Mul(x, hn::Set(kF32, -1.702f * kLog2E)));
  }
};

struct Silu {
  HWY_INLINE VF operator()(VF x) const {
    return DivideByOnePlusPower2(x, hn::Mul(x, hn::Set(kF32, -kLog2E)));
  }
};

// 2 sigmoid(2 x) - 1, and x - x^3 / 3 close to zero, where the subtraction loses digits.
struct Tanh {
  HWY_INLINE VF operator()(VF x) const {
    const VF two = hn::Set(kF32, 2.0f), power = hn::Mul(x, hn::Set(kF32, -2 * kLog2E));
    const VF far = hn::Sub(DivideByOnePlusPower2(two, power), hn::Set(kF32, 1.0f));
    const VF x3 = hn::Mul(hn::Mul(x, x), x);
    const VF near = hn::NegMulAdd(x3, hn::Set(kF32, 1.0f / 3), x);
    return hn::IfThenElse(hn::Lt(hn::Abs(x), hn::Set(kF32, 0.03f)), near, far);
  }
};

struct Relu {
  HWY_INLINE VF operator()(VF x) const { return hn::Max(x, hn::Zero(kF32)); }
};

struct Identity {
  HWY_INLINE VF operator()(VF x) const { return x; }
};

/// Sets the row y, which may be x, to function(x); returns the range of y.
template <class Function>
Range ApplyRow(const float* x, size_t n, float* y) {
  constexpr size_t N = hn::MaxLanes(kF32);
  const Function function;
  Range range = EmptyRange();
  size_t i = 0;
  for (; i + N <= n; i += N) {
    const VF v = function(hn::LoadU(kF32, x + i));
    range.Add(v);
    hn::StoreU(v, kF32, y + i);
  }
  if (i < n) {
    const VF v = function(hn::LoadN(kF32, x + i, n - i));
    range.Add(RepeatFirst(v, n - i));
    hn::StoreN(v, kF32, y + i, n - i);
  }
  return range;
}

/// Multiplies the row y by gate; returns the range of y.
Range GateRow(const float* gate, size_t n, float* y) {
  constexpr size_t N = hn::MaxLanes(kF32);
  Range range = EmptyRange();
  size_t i = 0;
  for (; i + N <= n; i += N) {
    const VF v = hn::Mul(hn::LoadU(kF32, y + i), hn::LoadU(kF32, gate + i));
    range.Add(v);
    hn::StoreU(v, kF32, y + i);
  }
  if (i < n) {
    const VF v = hn::Mul(hn::LoadN(kF32, y + i, n - i), hn::LoadN(kF32, gate + i, n - i));
    range.Add(v);
    hn::StoreN(v, kF32, y + i, n - i);
  }
  return range;
}

using ApplyRowFunction = Range (*)(const float*, size_t, float*);

ApplyRowFunction ApplyRowOf(Activation activation) {
  switch (activation) {
    case Activation::kGeluErf:
      return ApplyRow<GeluErf>;
    case Activation::kGeluTanh:
      return ApplyRow<GeluTanh>;
    case Activation::kQuickGelu:
      return ApplyRow<QuickGelu>;
    case Activation::kSilu:
      return ApplyRow<Silu>;
    case Activation::kTanh:
      return ApplyRow<Tanh>;
    case Activation::kRelu:
      return ApplyRow<Relu>;
    case Activation::kIdentity:
      break;
  }
  return ApplyRow<Identity>;
}

// GELU to int8. x Phi(x) = max(x, 0) - g(|x|), where g(a) = a (1 - Phi(a)) is a bump of height 0.17 that is
// almost 0 at 4.3. Above 4.3 it is 0 here. Below, it is a product of real factors in b = 4.3 - a; one of them
// is b^4. With the scaling it costs 15 instructions per vector. The error is at most 1.8e-4.
struct Bump {
  float end, scale, a1, b1, a2, b2;
};
constexpr Bump kErfBump = {4.32f, 9.8627431e-05f, -2.30407012f, 2.37486614f, -9.94102749f, 24.2828388f};
constexpr Bump kTanhBump = {4.30f, 9.44527926e-05f, -2.08456559f, 2.08941133f, -9.92179272f, 24.1737087f};

/// Returns (max(x, 0) - g(|x|)) * scale + zero_point, rounded. kStatic: it saturates for all x.
template <bool kStatic>
struct GeluBytes {
  const Bump& bump;
  VF scale, bump_scale, min, max, rounder;

  GeluBytes(const Bump& bump, float scale, float zero_point)
      : bump(bump),
        scale(hn::Set(kF32, scale)),
        bump_scale(hn::Set(kF32, scale * bump.scale)),
        min(hn::Set(kF32, -128.0f - zero_point)),
        max(hn::Set(kF32, 127.0f - zero_point)),
        rounder(hn::Set(kF32, kRounder + zero_point)) {}

  HWY_INLINE VI operator()(VF x) const {
    const VF b = hn::Max(hn::Sub(hn::Set(kF32, bump.end), hn::Abs(x)), hn::Zero(kF32));
    const VF b2 = hn::Mul(b, b);
    const VF left = hn::Mul(hn::Mul(b2, b2), Quadratic(b, b2, bump.a1, bump.b1));
    const VF product = hn::Mul(left, Quadratic(b, b2, bump.a2, bump.b2));
    const VF positive = hn::Max(x, hn::Zero(kF32));
    VF y = hn::NegMulAdd(product, bump_scale, hn::Mul(positive, scale));
    if constexpr (kStatic) y = hn::Min(hn::Max(y, min), max);
    return RoundToBits(hn::Add(y, rounder));
  }
};

/// Returns the quantizer for GELU of a row in `range`. GELU has one minimum, so the range of the output
/// follows from the range of x.
RowQuantizer GeluQuantizer(const Range& range) {
  const float low = hn::ReduceMin(kF32, range.min), high = hn::ReduceMax(kF32, range.max);
  const auto gelu = [](float x) HWY_ATTR { return hn::GetLane(GeluErf()(hn::Set(kF32, x))); };
  return QuantizerOf(low < -0.75f ? -0.1701f : gelu(low), gelu(high));
}

/// Writes GELU of a row as int8 and returns true, if a step is at least 20 times the error of the bump.
bool GeluRow(const Bump& bump, const float* x, size_t n, const OutputRows& out, size_t row) {
  constexpr float kSmallestStep = 0.0036f;
  const bool is_static = out.type == RowType::kQs8;
  const RowQuantizer q = is_static ? QuantizerOf(out.quantization[0]) : GeluQuantizer(RangeOf(x, n));
  if (!(q.quantization.scale >= kSmallestStep)) return false;
  int8_t* bytes = static_cast<int8_t*>(out.data) + row * out.stride;
  const float zero_point = static_cast<float>(q.quantization.zero_point);
  if (is_static) {
    StoreRow(x, n, GeluBytes<true>(bump, q.inverse_scale, zero_point), bytes);
  } else {
    out.quantization[row] = q.quantization;
    StoreRow(x, n, GeluBytes<false>(bump, q.inverse_scale, zero_point), bytes);
  }
  return true;
}

void ActivationRows(const ActivationRowsArguments& a, size_t first, size_t last, void* scratch) {
  const bool is_f32 = a.out.type == RowType::kF32;
  const bool is_gelu = a.activation == Activation::kGeluErf || a.activation == Activation::kGeluTanh;
  const Bump& bump = a.activation == Activation::kGeluErf ? kErfBump : kTanhBump;
  const ApplyRowFunction apply_row = ApplyRowOf(a.activation);
  for (size_t row = first; row < last; ++row) {
    const float* x = a.x + row * a.x_stride;
    if (is_gelu && !is_f32 && !a.gated && GeluRow(bump, x, a.M, a.out, row)) continue;
    float* y = is_f32 ? static_cast<float*>(a.out.data) + row * a.out.stride : static_cast<float*>(scratch);
    Range range = apply_row(x, a.M, y);
    if (a.gated) range = GateRow(x + a.M, a.M, y);
    if (!is_f32) QuantizeRow<false>(y, a.M, 0.0f, 1.0f, range, a.out, row);
  }
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(ActivationRows);

void ActivationRows(const ActivationRowsArguments& arguments, size_t first, size_t last, void* scratch) {
  HWY_DYNAMIC_DISPATCH(ActivationRows)(arguments, first, last, scratch);
}

void ActivationRowsReference(const ActivationRowsArguments& a, size_t first, size_t last, void* scratch) {
  float* y = static_cast<float*>(scratch);
  for (size_t row = first; row < last; ++row) {
    const float* x = a.x + row * a.x_stride;
    for (size_t i = 0; i < a.M; ++i) {
      const double value = ExactActivation(a.activation, x[i]);
      y[i] = static_cast<float>(a.gated ? value * x[a.M + i] : value);
    }
    WriteRowReference(y, a.M, a.out, row);
  }
}

void TableBytesReference(const int8_t* x, size_t n, const int8_t* table, int8_t* out) {
  for (size_t i = 0; i < n; ++i) out[i] = table[x[i] + 128];
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
