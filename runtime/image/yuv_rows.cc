// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/yuv_rows.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/image/yuv_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Bytes16 = hn::FixedTag<uint8_t, 16>;
using Bytes8 = hn::FixedTag<uint8_t, 8>;
using Shorts8 = hn::FixedTag<int16_t, 8>;
using Short8 = hn::Vec<Shorts8>;
using Byte16 = hn::Vec<Bytes16>;

/// 16 samples of luma; 8 samples each of U and V minus 128, in the upper bytes of 16-bit lanes.
struct Samples {
  Byte16 luma;
  Short8 u, v;
};

/// Splits alternating U and V into upper and lower bytes.
HWY_INLINE Samples Split(Byte16 luma, Byte16 uv) {
  const auto pairs = hn::BitCast(Shorts8(), hn::Xor(uv, hn::Set(Bytes16(), 0x80)));
  return {luma, hn::ShiftLeft<8>(pairs), hn::And(pairs, hn::Set(Shorts8(), static_cast<int16_t>(0xFF00)))};
}

/// How the chroma samples are stored.
enum class Chroma { kYuyv, kUv, kVu, kPlanes };

template <Chroma kChroma>
HWY_INLINE Samples LoadSamples(const YuvRow& row, ptrdiff_t i) {
  if constexpr (kChroma == Chroma::kYuyv) {
    Byte16 luma, uv;
    hn::LoadInterleaved2(Bytes16(), row.luma + 2 * i, luma, uv);
    return Split(luma, uv);
  } else if constexpr (kChroma == Chroma::kUv) {
    return Split(hn::LoadU(Bytes16(), row.luma + i), hn::LoadU(Bytes16(), row.u + i));
  } else if constexpr (kChroma == Chroma::kVu) {
    const Samples swapped = Split(hn::LoadU(Bytes16(), row.luma + i), hn::LoadU(Bytes16(), row.v + i));
    return {swapped.luma, swapped.v, swapped.u};
  } else {
    const auto middle = hn::Set(Bytes8(), 0x80);
    const auto widen = [middle](const uint8_t* samples) HWY_ATTR {
      const auto sample = hn::PromoteTo(Shorts8(), hn::Xor(hn::LoadU(Bytes8(), samples), middle));
      return hn::ShiftLeft<8>(sample);
    };
    return {hn::LoadU(Bytes16(), row.luma + i), widen(row.u + i / 2), widen(row.v + i / 2)};
  }
}

HWY_INLINE void StoreLevels(Short8 sum, int16_t* HWY_RESTRICT out) {
#if HWY_TARGET_IS_NEON
  const hn::Vec<Bytes8> levels(vqshrun_n_s16(sum.raw, 6));
#else
  const auto levels = hn::DemoteTo(Bytes8(), hn::ShiftRight<6>(sum));
#endif
  hn::StoreU(hn::PromoteTo(Shorts8(), levels), Shorts8(), out);
}

/// 16 pixels of one color: luma and what eight samples of colour add to two pixels each.
HWY_INLINE void StoreColor(Short8 low, Short8 high, Short8 chroma, int16_t* HWY_RESTRICT out) {
  StoreLevels(hn::SaturatedAdd(low, hn::InterleaveLower(Shorts8(), chroma, chroma)), out);
  StoreLevels(hn::SaturatedAdd(high, hn::InterleaveUpper(Shorts8(), chroma, chroma)), out + 8);
}

/// 16 pixels from i on.
template <Chroma kChroma>
HWY_INLINE void ConvertPixels(const YuvRow& row, const YuvFactors& factors, ptrdiff_t i,
                              int16_t* HWY_RESTRICT red, int16_t* HWY_RESTRICT green,
                              int16_t* HWY_RESTRICT blue) {
  const Shorts8 d;
  const auto luma_factor = hn::Set(d, factors.luma), bias = hn::Set(d, factors.bias);
  const auto red_v = hn::Set(d, factors.red_v), blue_u = hn::Set(d, factors.blue_u);
  const auto green_u = hn::Set(d, factors.green_u), green_v = hn::Set(d, factors.green_v);
  const auto zero = hn::Zero(Bytes16()), middle = hn::Set(Bytes16(), 0x80);
  const Samples s = LoadSamples<kChroma>(row, i);
  const auto luma = hn::Xor(s.luma, middle);
  const auto scale = [&](Byte16 samples) HWY_ATTR {
    return hn::Add(hn::MulFixedPoint15(hn::BitCast(d, samples), luma_factor), bias);
  };
  const auto low = scale(hn::InterleaveLower(Bytes16(), zero, luma));
  const auto high = scale(hn::InterleaveUpper(Bytes16(), zero, luma));
  StoreColor(low, high, hn::MulFixedPoint15(s.v, red_v), red + i);
  StoreColor(low, high, hn::Add(hn::MulFixedPoint15(s.u, green_u), hn::MulFixedPoint15(s.v, green_v)),
             green + i);
  StoreColor(low, high, hn::MulFixedPoint15(s.u, blue_u), blue + i);
}

template <Chroma kChroma>
HWY_INLINE void ConvertRow(const YuvRow& source, const YuvFactors& source_factors, ptrdiff_t count,
                           int16_t* HWY_RESTRICT red, int16_t* HWY_RESTRICT green,
                           int16_t* HWY_RESTRICT blue) {
  const YuvRow row = source;  // copies, which stores to the planes cannot change
  const YuvFactors factors = source_factors;
  ptrdiff_t i = 0;
  for (; i + 16 <= count; i += 16) ConvertPixels<kChroma>(row, factors, i, red, green, blue);
  if (count >= 16 && count - i >= 2) {  // the last vector overlaps the one before it
    i = (count - 16) / 2 * 2;
    ConvertPixels<kChroma>(row, factors, i, red, green, blue);
    i += 16;
  }
  if (i == count) return;
  const YuvRow rest = {row.luma + i * row.luma_step, row.u + i / 2 * row.chroma_step,
                       row.v + i / 2 * row.chroma_step, row.luma_step, row.chroma_step};
  reference::YuvToPlanes(rest, factors, static_cast<int>(count - i), red + i, green + i, blue + i);
}

void YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red, int16_t* green,
                 int16_t* blue) {
  switch (row.chroma_step) {
    case 4:
      return ConvertRow<Chroma::kYuyv>(row, factors, count, red, green, blue);
    case 2:
      if (row.v < row.u) return ConvertRow<Chroma::kVu>(row, factors, count, red, green, blue);
      return ConvertRow<Chroma::kUv>(row, factors, count, red, green, blue);
    default:
      return ConvertRow<Chroma::kPlanes>(row, factors, count, red, green, blue);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace vitrine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(YuvToPlanes);

void YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red, int16_t* green,
                 int16_t* blue) {
  HWY_DYNAMIC_DISPATCH(YuvToPlanes)(row, factors, count, red, green, blue);
}

namespace {

constexpr int kLevelBits = 6;  // fraction bits of a sum, in levels

/// (256 * sample * factor + 2^14) >> 15: with `factor` in 2^-9, the product in 2^-6.
int Multiply(int sample, int factor) { return (256 * sample * factor + (1 << 14)) >> 15; }

int16_t ToLevel(int sum) { return static_cast<int16_t>(std::clamp(sum >> kLevelBits, 0, 255)); }

/// Returns the factor for which (256 * sample * factor) >> 15 is in 1/64 level.
int16_t ToFactor(double factor) {
  return static_cast<int16_t>(std::lround(factor * (1 << kLevelBits) * (1 << 15) / 256));
}

}  // namespace

/// The weights of red and blue in luma determine all other factors.
YuvFactors FactorsOf(YuvMatrix matrix, YuvRange range) {
  const bool hd = matrix == YuvMatrix::kBt709, full = range == YuvRange::kFull;
  const double red = hd ? 0.2126 : 0.299, blue = hd ? 0.0722 : 0.114, green = 1 - red - blue;
  const double luma = full ? 1 : 255.0 / 219, chroma = full ? 1 : 255.0 / 224;
  const double black = full ? 0 : 16;
  return {
      ToFactor(luma),
      ToFactor(2 * (1 - red) * chroma),
      ToFactor(-2 * (1 - blue) * blue / green * chroma),
      ToFactor(-2 * (1 - red) * red / green * chroma),
      ToFactor(2 * (1 - blue) * chroma),
      static_cast<int16_t>(std::lround((128 - black) * luma * (1 << kLevelBits)) + (1 << (kLevelBits - 1)))};
}

YuvRow RowOf(const ImageView& view, int x, int y) {
  const uint8_t* luma = view.pixels + y * view.stride_bytes;
  if (view.format == PixelFormat::kYuyv8) {
    luma += ptrdiff_t{2} * x;
    return {luma, luma + 1, luma + 3, 2, 4};
  }
  const ptrdiff_t row = y / 2 * view.chroma_stride_bytes;
  const uint8_t* pairs = view.chroma[0] + row + x;
  if (view.format == PixelFormat::kNv12) return {luma + x, pairs, pairs + 1, 1, 2};
  if (view.format == PixelFormat::kNv21) return {luma + x, pairs + 1, pairs, 1, 2};
  return {luma + x, view.chroma[0] + row + x / 2, view.chroma[1] + row + x / 2, 1, 1};
}

void reference::YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red,
                            int16_t* green, int16_t* blue) {
  for (int i = 0; i < count; ++i) {
    const int luma = Multiply(row.luma[ptrdiff_t{i} * row.luma_step] - 128, factors.luma);
    const int u = row.u[ptrdiff_t{i / 2} * row.chroma_step] - 128;
    const int v = row.v[ptrdiff_t{i / 2} * row.chroma_step] - 128;
    red[i] = ToLevel(luma + Multiply(v, factors.red_v) + factors.bias);
    green[i] = ToLevel(luma + Multiply(u, factors.green_u) + Multiply(v, factors.green_v) + factors.bias);
    blue[i] = ToLevel(luma + Multiply(u, factors.blue_u) + factors.bias);
  }
}

}  // namespace vitrine
#endif  // HWY_ONCE
