// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/decode/jpeg.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/image/decode/jpeg_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Sums = hn::FixedTag<int32_t, 4>;
using Sum4 = hn::Vec<Sums>;

constexpr int kConstantBits = 13;
constexpr int kPassBits = 2;

HWY_INLINE Sum4 Times(Sum4 values, double factor) {
  const double scaled = factor * (1 << kConstantBits);
  return hn::Mul(values, hn::Set(Sums(), static_cast<int32_t>(scaled + (factor < 0 ? -0.5 : 0.5))));
}

/// values / 2^kBits, rounded.
template <int kBits>
HWY_INLINE Sum4 Descale(Sum4 values) {
  return hn::ShiftRight<kBits>(hn::Add(values, hn::Set(Sums(), 1 << (kBits - 1))));
}

/// Four transforms of eight values each: lane k of v[0..7] to lane k of v[0..7], then descaled.
template <int kBits>
HWY_INLINE void Transform(Sum4 (&v)[8]) {
  // Even part: a rotation by 6 pi / 16, and butterflies.
  const Sum4 z1 = Times(hn::Add(v[2], v[6]), 0.541196100);
  const Sum4 even2 = hn::Add(z1, Times(v[6], -1.847759065)), even3 = hn::Add(z1, Times(v[2], 0.765366865));
  const Sum4 even0 = hn::ShiftLeft<kConstantBits>(hn::Add(v[0], v[4]));
  const Sum4 even1 = hn::ShiftLeft<kConstantBits>(hn::Sub(v[0], v[4]));
  const Sum4 a0 = hn::Add(even0, even3), a3 = hn::Sub(even0, even3);
  const Sum4 a1 = hn::Add(even1, even2), a2 = hn::Sub(even1, even2);

  // Odd part: the figure 8 of the paper.
  const Sum4 z3 = hn::Add(v[7], v[3]), z4 = hn::Add(v[5], v[1]);
  const Sum4 z5 = Times(hn::Add(z3, z4), 1.175875602);
  const Sum4 s71 = Times(hn::Add(v[7], v[1]), -0.899976223), s53 = Times(hn::Add(v[5], v[3]), -2.562915447);
  const Sum4 s73 = hn::Add(Times(z3, -1.961570560), z5), s51 = hn::Add(Times(z4, -0.390180644), z5);
  const Sum4 b0 = hn::Add(Times(v[7], 0.298631336), hn::Add(s71, s73));
  const Sum4 b1 = hn::Add(Times(v[5], 2.053119869), hn::Add(s53, s51));
  const Sum4 b2 = hn::Add(Times(v[3], 3.072711026), hn::Add(s53, s73));
  const Sum4 b3 = hn::Add(Times(v[1], 1.501321110), hn::Add(s71, s51));

  v[0] = Descale<kBits>(hn::Add(a0, b3)), v[7] = Descale<kBits>(hn::Sub(a0, b3));
  v[1] = Descale<kBits>(hn::Add(a1, b2)), v[6] = Descale<kBits>(hn::Sub(a1, b2));
  v[2] = Descale<kBits>(hn::Add(a2, b1)), v[5] = Descale<kBits>(hn::Sub(a2, b1));
  v[3] = Descale<kBits>(hn::Add(a3, b0)), v[4] = Descale<kBits>(hn::Sub(a3, b0));
}

/// Exchanges rows and columns of the 4 x 4 numbers in[0..3].
HWY_INLINE void Transpose(const Sum4* in, Sum4* out) {
  const Sums d;
  const Sum4 low02 = hn::InterleaveLower(d, in[0], in[2]), high02 = hn::InterleaveUpper(d, in[0], in[2]);
  const Sum4 low13 = hn::InterleaveLower(d, in[1], in[3]), high13 = hn::InterleaveUpper(d, in[1], in[3]);
  out[0] = hn::InterleaveLower(d, low02, low13);
  out[1] = hn::InterleaveUpper(d, low02, low13);
  out[2] = hn::InterleaveLower(d, high02, high13);
  out[3] = hn::InterleaveUpper(d, high02, high13);
}

void InverseTransform(uint8_t* HWY_RESTRICT out, int stride, short* HWY_RESTRICT coefficients) {
  const hn::FixedTag<int16_t, 4> shorts;
  Sum4 left[8], right[8];  // columns 0 to 3, and 4 to 7
  for (int y = 0; y < 8; ++y) {
    left[y] = hn::PromoteTo(Sums(), hn::LoadU(shorts, coefficients + 8 * y));
    right[y] = hn::PromoteTo(Sums(), hn::LoadU(shorts, coefficients + 8 * y + 4));
  }
  Transform<kConstantBits - kPassBits>(left);
  Transform<kConstantBits - kPassBits>(right);
  for (int y = 0; y < 8; y += 4, out += 4 * stride) {
    Sum4 columns[8], rows[8];
    Transpose(left + y, columns);
    Transpose(right + y, columns + 4);
    Transform<kConstantBits + kPassBits + 3>(columns);
    Transpose(columns, rows);
    Transpose(columns + 4, rows + 4);
    for (int i = 0; i < 4; ++i) {
      const hn::FixedTag<int16_t, 8> pairs;
      const hn::FixedTag<uint8_t, 8> bytes;
      const auto row = hn::OrderedDemote2To(pairs, rows[i], rows[4 + i]);
      hn::StoreU(hn::DemoteTo(bytes, hn::SaturatedAdd(row, hn::Set(pairs, 128))), bytes, out + i * stride);
    }
  }
}

using Bytes8 = hn::FixedTag<uint8_t, 8>;
using Shorts8 = hn::FixedTag<uint16_t, 8>;
using Short8 = hn::Vec<Shorts8>;

HWY_INLINE Short8 LoadShorts(const uint8_t* from) {
  return hn::PromoteTo(Shorts8(), hn::LoadU(Bytes8(), from));
}

HWY_INLINE Short8 Triple(Short8 values) { return hn::Add(values, hn::Add(values, values)); }

/// Writes the two neighbours that each of eight samples became, left and right by turns.
template <int kBits>
HWY_INLINE void StorePairs(Short8 left, Short8 right, uint8_t* out) {
  const auto left_bytes = hn::TruncateTo(Bytes8(), hn::ShiftRight<kBits>(left));
  const auto right_bytes = hn::TruncateTo(Bytes8(), hn::ShiftRight<kBits>(right));
  hn::StoreInterleaved2(left_bytes, right_bytes, Bytes8(), out);
}

void WidenRow(const uint8_t* HWY_RESTRICT in, int width, uint8_t* HWY_RESTRICT out) {
  const auto one = hn::Set(Shorts8(), 1), two = hn::Set(Shorts8(), 2);
  if (width < 10) return reference::WidenRow(in, width, out);
  // The first and last samples by the plain loop; between them eight at a time, the last
  // eight where they fit.
  reference::WidenRow(in, 3, out);
  reference::WidenRow(in + width - 3, 3, out + 2 * (width - 3));
  for (int x = 1; x < width - 1; x += 8) {
    if (x > width - 9) x = width - 9;
    const Short8 here = Triple(LoadShorts(in + x));
    StorePairs<2>(hn::Add(hn::Add(here, LoadShorts(in + x - 1)), one),
                  hn::Add(hn::Add(here, LoadShorts(in + x + 1)), two), out + 2 * x);
  }
}

void WidenRowPair(const uint8_t* HWY_RESTRICT near, const uint8_t* HWY_RESTRICT far, int width,
                  uint8_t* HWY_RESTRICT out) {
  const auto seven = hn::Set(Shorts8(), 7), eight = hn::Set(Shorts8(), 8);
  if (width < 10) return reference::WidenRowPair(near, far, width, out);
  const auto mixed = [near, far](int x) {
    return hn::Add(Triple(LoadShorts(near + x)), LoadShorts(far + x));
  };
  reference::WidenRowPair(near, far, 3, out);
  reference::WidenRowPair(near + width - 3, far + width - 3, 3, out + 2 * (width - 3));
  for (int x = 1; x < width - 1; x += 8) {
    if (x > width - 9) x = width - 9;
    const Short8 here = Triple(mixed(x));
    StorePairs<4>(hn::Add(hn::Add(here, mixed(x - 1)), eight), hn::Add(hn::Add(here, mixed(x + 1)), seven),
                  out + 2 * x);
  }
}

/// What Cb and Cr add to eight pixels of one color, in 2^-16.
struct Color8 {
  Sum4 low, high;

  HWY_INLINE void Add(hn::Vec<hn::FixedTag<int16_t, 8>> chroma, int32_t factor) {
    const Sum4 factors = hn::Set(Sums(), factor);
    low = hn::MulAdd(hn::PromoteLowerTo(Sums(), chroma), factors, low);
    high = hn::MulAdd(hn::PromoteUpperTo(Sums(), chroma), factors, high);
  }

  HWY_INLINE hn::Vec<Bytes8> Finish(hn::Vec<hn::FixedTag<int16_t, 8>> luma) const {
    const hn::FixedTag<int16_t, 8> shorts;
    const auto chroma = hn::OrderedDemote2To(shorts, hn::ShiftRight<16>(low), hn::ShiftRight<16>(high));
    return hn::DemoteTo(Bytes8(), hn::Add(luma, chroma));
  }
};

void YccToRgb(const uint8_t* HWY_RESTRICT y, const uint8_t* HWY_RESTRICT cb, const uint8_t* HWY_RESTRICT cr,
              int count, uint8_t* HWY_RESTRICT rgb) {
  const hn::FixedTag<int16_t, 8> shorts;
  const auto middle = hn::Set(shorts, 128);
  const Sum4 half = hn::Set(Sums(), 1 << 15);
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const auto luma = hn::PromoteTo(shorts, hn::LoadU(Bytes8(), y + i));
    const auto blue = hn::Sub(hn::PromoteTo(shorts, hn::LoadU(Bytes8(), cb + i)), middle);
    const auto red = hn::Sub(hn::PromoteTo(shorts, hn::LoadU(Bytes8(), cr + i)), middle);
    Color8 r{half, half}, g{half, half}, b{half, half};
    r.Add(red, 91881);    // 1.40200
    g.Add(blue, -22554);  // 0.34414
    g.Add(red, -46802);   // 0.71414
    b.Add(blue, 116130);  // 1.77200
    hn::StoreInterleaved3(r.Finish(luma), g.Finish(luma), b.Finish(luma), Bytes8(), rgb + 3 * i);
  }
  reference::YccToRgb(y + i, cb + i, cr + i, count - i, rgb + 3 * i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace vitrine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(InverseTransform);
HWY_EXPORT(WidenRow);
HWY_EXPORT(WidenRowPair);
HWY_EXPORT(YccToRgb);

void InverseTransform(uint8_t* out, int stride, short coefficients[64]) {
  HWY_DYNAMIC_DISPATCH(InverseTransform)(out, stride, coefficients);
}

void WidenRow(const uint8_t* in, int width, uint8_t* out) { HWY_DYNAMIC_DISPATCH(WidenRow)(in, width, out); }

void WidenRowPair(const uint8_t* near, const uint8_t* far, int width, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(WidenRowPair)(near, far, width, out);
}

void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* rgb) {
  HWY_DYNAMIC_DISPATCH(YccToRgb)(y, cb, cr, count, rgb);
}

namespace reference {
namespace {

uint8_t Clamp(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

constexpr int kConstantBits = 13;
constexpr int kPassBits = 2;

/// Sums are unsigned, so that those of damaged files wrap instead of being undefined.
using Sum = uint32_t;

constexpr Sum Fixed(double value) {
  return static_cast<Sum>(static_cast<int32_t>(value * (1 << kConstantBits) + (value < 0 ? -0.5 : 0.5)));
}

int Descale(Sum value, int bits) { return static_cast<int32_t>(value + (Sum{1} << (bits - 1))) >> bits; }

/// Eight coefficients to eight samples, scaled up by 2^kConstantBits.
void Transform8(const Sum in[8], Sum out[8]) {
  // Even part: a rotation by 6 pi / 16, and butterflies.
  const Sum z1 = (in[2] + in[6]) * Fixed(0.541196100);
  const Sum even2 = z1 + in[6] * Fixed(-1.847759065), even3 = z1 + in[2] * Fixed(0.765366865);
  const Sum even0 = (in[0] + in[4]) << kConstantBits, even1 = (in[0] - in[4]) << kConstantBits;
  const Sum a0 = even0 + even3, a3 = even0 - even3, a1 = even1 + even2, a2 = even1 - even2;

  // Odd part: the figure 8 of the paper.
  const Sum z5 = (in[7] + in[3] + in[5] + in[1]) * Fixed(1.175875602);
  const Sum s71 = (in[7] + in[1]) * Fixed(-0.899976223), s53 = (in[5] + in[3]) * Fixed(-2.562915447);
  const Sum s73 = (in[7] + in[3]) * Fixed(-1.961570560) + z5,
            s51 = (in[5] + in[1]) * Fixed(-0.390180644) + z5;
  const Sum b0 = in[7] * Fixed(0.298631336) + s71 + s73, b1 = in[5] * Fixed(2.053119869) + s53 + s51;
  const Sum b2 = in[3] * Fixed(3.072711026) + s53 + s73, b3 = in[1] * Fixed(1.501321110) + s71 + s51;

  out[0] = a0 + b3, out[7] = a0 - b3;
  out[1] = a1 + b2, out[6] = a1 - b2;
  out[2] = a2 + b1, out[5] = a2 - b1;
  out[3] = a3 + b0, out[4] = a3 - b0;
}

}  // namespace

void InverseTransform(uint8_t* out, int stride, short coefficients[64]) {
  Sum columns[64], in[8], samples[8];
  for (int x = 0; x < 8; ++x) {
    int others = 0;
    for (int y = 0; y < 8; ++y) {
      in[y] = static_cast<Sum>(int32_t{coefficients[8 * y + x]});
      if (y > 0) others |= coefficients[8 * y + x];
    }
    if (others == 0) {  // most columns of a photo: all samples are the same, and are what the transform gives
      for (int y = 0; y < 8; ++y) columns[8 * y + x] = in[0] << kPassBits;
      continue;
    }
    Transform8(in, samples);
    for (int y = 0; y < 8; ++y) {
      columns[8 * y + x] = static_cast<Sum>(Descale(samples[y], kConstantBits - kPassBits));
    }
  }
  for (int y = 0; y < 8; ++y, out += stride) {
    Transform8(columns + 8 * y, samples);
    for (int x = 0; x < 8; ++x) out[x] = Clamp(Descale(samples[x], kConstantBits + kPassBits + 3) + 128);
  }
}

void WidenRow(const uint8_t* in, int width, uint8_t* out) {
  out[0] = in[0];
  out[1] = static_cast<uint8_t>((3 * in[0] + in[1] + 2) >> 2);
  for (int x = 1; x < width - 1; ++x) {
    out[2 * x] = static_cast<uint8_t>((3 * in[x] + in[x - 1] + 1) >> 2);
    out[2 * x + 1] = static_cast<uint8_t>((3 * in[x] + in[x + 1] + 2) >> 2);
  }
  out[2 * width - 2] = static_cast<uint8_t>((3 * in[width - 1] + in[width - 2] + 1) >> 2);
  out[2 * width - 1] = in[width - 1];
}

void WidenRowPair(const uint8_t* near, const uint8_t* far, int width, uint8_t* out) {
  int last = 3 * near[0] + far[0], here = last, next = 3 * near[1] + far[1];
  out[0] = static_cast<uint8_t>((4 * here + 8) >> 4);
  out[1] = static_cast<uint8_t>((3 * here + next + 7) >> 4);
  for (int x = 1; x < width - 1; ++x) {
    last = here, here = next, next = 3 * near[x + 1] + far[x + 1];
    out[2 * x] = static_cast<uint8_t>((3 * here + last + 8) >> 4);
    out[2 * x + 1] = static_cast<uint8_t>((3 * here + next + 7) >> 4);
  }
  out[2 * width - 2] = static_cast<uint8_t>((3 * next + here + 8) >> 4);
  out[2 * width - 1] = static_cast<uint8_t>((4 * next + 7) >> 4);
}

void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* rgb) {
  constexpr int kHalf = 1 << 15;
  for (int i = 0; i < count; ++i, rgb += 3) {
    const int blue = cb[i] - 128, red = cr[i] - 128;
    rgb[0] = Clamp(y[i] + ((91881 * red + kHalf) >> 16));                  // 1.40200
    rgb[1] = Clamp(y[i] + ((-22554 * blue - 46802 * red + kHalf) >> 16));  // 0.34414, 0.71414
    rgb[2] = Clamp(y[i] + ((116130 * blue + kHalf) >> 16));                // 1.77200
  }
}

}  // namespace reference

}  // namespace vitrine
#endif  // HWY_ONCE
