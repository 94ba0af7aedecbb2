// SPDX-License-Identifier: Apache-2.0
// The exponential function of f32 vectors. Included after rows-inl.h, for every instruction set, so without
// an include guard.

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

constexpr float kLog2E = 1.44269504f;

/// Returns 2^x * kPower2Unit for x in [-126, 127], within 3e-7 of its value, in 15 instructions.
///
/// x = n + r, where n is an integer and r is in [-1/2, 1/2]. 2^n goes into the exponent's bits. 2^r is a
/// polynomial of degree 5, computed as a product of its real factors: a quadratic factor r^2 + a r + b costs
/// an addition and a fused multiply-add. Horner's rule costs two instructions per degree on NEON, whose fused
/// multiply-add overwrites the addend, so that each constant is copied first. The leading coefficient is
/// omitted, because softmax and sigmoid cancel it.
constexpr float kPower2Unit = 1.0f / 0.0013276472f;
HWY_INLINE VF Power2(VF x) {
  // Adding 1.5 * 2^23 rounds; 127 more leaves the biased exponent of 2^n in the low bits.
  const VF rounder = hn::Set(kF32, 12582912.0f + 127.0f);
  const VF rounded = hn::Add(x, rounder);
  const VF r = hn::Add(x, hn::Sub(rounder, rounded));
  const VF r2 = hn::Mul(r, r);
  const VF first = hn::MulAdd(r, hn::Set(kF32, -0.681627784f), hn::Add(r2, hn::Set(kF32, 20.3613575f)));
  const VF second = hn::MulAdd(r, hn::Set(kF32, 4.79739949f), hn::Add(r2, hn::Set(kF32, 11.6622521f)));
  const VF power_r = hn::Mul(hn::Mul(first, second), hn::Add(r, hn::Set(kF32, 3.1719635966f)));
  const VF power_n = hn::BitCast(kF32, hn::ShiftLeft<23>(hn::BitCast(kI32, rounded)));
  return hn::Mul(power_r, power_n);
}

/// Returns x limited to the range of Power2.
HWY_INLINE VF ClampPower(VF x) { return hn::Min(hn::Max(x, hn::Set(kF32, -126.0f)), hn::Set(kF32, 126.0f)); }

/// Returns x / (1 + 2^power): x * sigmoid(y) for power = -y * log2(e).
HWY_INLINE VF DivideByOnePlusPower2(VF x, VF power) {
  const VF one = hn::Set(kF32, 1.0f);
  return hn::Div(x, hn::MulAdd(Power2(ClampPower(power)), hn::Set(kF32, 1.0f / kPower2Unit), one));
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
