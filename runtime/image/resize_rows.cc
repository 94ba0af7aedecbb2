// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/resize_rows.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/image/resize_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

using Bytes16 = hn::FixedTag<uint8_t, 16>;
using Lanes4 = hn::FixedTag<int32_t, 4>;

/// Spreads the four bytes of pixel kPixel, of the four pixels in `pixels`, over four 32-bit lanes.
template <int kPixel>
HWY_INLINE hn::Vec<Lanes4> SpreadPixel(hn::Vec<Bytes16> pixels) {
  constexpr uint8_t p = 4 * kPixel, zero = 0x80;
  alignas(16) static constexpr uint8_t kIndex[16] = {p,     zero, zero, zero, p + 1, zero, zero, zero,
                                                     p + 2, zero, zero, zero, p + 3, zero, zero, zero};
  return hn::BitCast(Lanes4(), hn::TableLookupBytesOr0(pixels, hn::Load(Bytes16(), kIndex)));
}

/// One output pixel in four lanes: red, green, blue, and one that does not count.
HWY_INLINE hn::Vec<Lanes4> WeighPixels(const uint8_t* HWY_RESTRICT rgbx, const int32_t* HWY_RESTRICT weights,
                                       int used) {
  const Lanes4 lanes;
  // Two sums, so that one multiply-add need not wait for the one before it.
  auto even = hn::Set(lanes, kHalf), odd = hn::Zero(lanes);
  for (int t = 0; t < used; t += kTapGroup) {
    const auto pixels = hn::LoadU(Bytes16(), rgbx + 4 * t);
    const auto weight = hn::LoadU(lanes, weights + t);
    even = hn::MulAdd(SpreadPixel<0>(pixels), hn::Broadcast<0>(weight), even);
    odd = hn::MulAdd(SpreadPixel<1>(pixels), hn::Broadcast<1>(weight), odd);
    even = hn::MulAdd(SpreadPixel<2>(pixels), hn::Broadcast<2>(weight), even);
    odd = hn::MulAdd(SpreadPixel<3>(pixels), hn::Broadcast<3>(weight), odd);
  }
  return hn::ShiftRight<kWeightBits>(hn::Add(even, odd));
}

void ResizeRowRgb(const uint8_t* HWY_RESTRICT rgbx, const Taps& taps, uint8_t* HWY_RESTRICT rgb) {
  const hn::FixedTag<uint8_t, 4> pixel;
  const int32_t* weights = taps.weights;
  for (int i = 0; i < taps.count; ++i, weights += taps.stride, rgb += 3) {
    const uint8_t* from = rgbx + ptrdiff_t{4} * (taps.first[i] - taps.source_begin);
    const auto bytes = hn::DemoteTo(pixel, WeighPixels(from, weights, taps.used[i]));
    if (i + 1 < taps.count) {
      hn::StoreU(bytes, pixel, rgb);  // the fourth byte is overwritten by the next pixel
    } else {
      alignas(16) uint8_t last[4];
      hn::Store(bytes, pixel, last);
      std::memcpy(rgb, last, 3);
    }
  }
}

using Bytes = hn::ScalableTag<uint8_t>;
using Shorts = hn::Repartition<uint16_t, Bytes>;
using Words = hn::Repartition<uint32_t, Bytes>;
using Sums = hn::RebindToSigned<Words>;

/// As many bytes as a vector holds, of all rows mixed.
HWY_INLINE hn::Vec<Bytes> MixBytes(const uint8_t* const* HWY_RESTRICT rows,
                                   const int32_t* HWY_RESTRICT weights, int used, size_t x) {
  const Sums sums;
  auto sum0 = hn::Set(sums, kHalf), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (int t = 0; t < used; ++t) {
    const auto weight = hn::Set(sums, weights[t]);
    const auto bytes = hn::LoadU(Bytes(), rows[t] + x);
    const auto low = hn::PromoteLowerTo(Shorts(), bytes), high = hn::PromoteUpperTo(Shorts(), bytes);
    sum0 = hn::MulAdd(hn::BitCast(sums, hn::PromoteLowerTo(Words(), low)), weight, sum0);
    sum1 = hn::MulAdd(hn::BitCast(sums, hn::PromoteUpperTo(Words(), low)), weight, sum1);
    sum2 = hn::MulAdd(hn::BitCast(sums, hn::PromoteLowerTo(Words(), high)), weight, sum2);
    sum3 = hn::MulAdd(hn::BitCast(sums, hn::PromoteUpperTo(Words(), high)), weight, sum3);
  }
  const hn::RebindToSigned<Shorts> shorts;
  const auto low =
      hn::OrderedDemote2To(shorts, hn::ShiftRight<kWeightBits>(sum0), hn::ShiftRight<kWeightBits>(sum1));
  const auto high =
      hn::OrderedDemote2To(shorts, hn::ShiftRight<kWeightBits>(sum2), hn::ShiftRight<kWeightBits>(sum3));
  return hn::OrderedDemote2To(Bytes(), low, high);
}

void MixRows(const uint8_t* const* HWY_RESTRICT rows, const int32_t* HWY_RESTRICT weights, int used,
             size_t bytes, uint8_t* HWY_RESTRICT out) {
  const size_t lanes = hn::Lanes(Bytes());
  if (bytes < lanes) return reference::MixRows(rows, weights, used, bytes, out);
  size_t x = 0;
  for (; x + lanes <= bytes; x += lanes) hn::StoreU(MixBytes(rows, weights, used, x), Bytes(), out + x);
  if (x == bytes) return;
  x = bytes - lanes;  // the last vector overlaps the one before it
  hn::StoreU(MixBytes(rows, weights, used, x), Bytes(), out + x);
}

void SpreadRgb(const uint8_t* HWY_RESTRICT rgb, int count, bool reversed, uint8_t* HWY_RESTRICT rgbx) {
  const Bytes16 bytes;
  hn::Vec<Bytes16> red, green, blue;
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    hn::LoadInterleaved3(bytes, rgb + 3 * i, red, green, blue);
    hn::StoreInterleaved4(reversed ? blue : red, green, reversed ? red : blue, green, bytes, rgbx + 4 * i);
  }
  reference::SpreadRgb(rgb + 3 * i, count - i, reversed, rgbx + 4 * i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace vitrine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(ResizeRowRgb);
HWY_EXPORT(MixRows);
HWY_EXPORT(SpreadRgb);

void ResizeRowRgb(const uint8_t* rgbx, const Taps& taps, uint8_t* rgb) {
  HWY_DYNAMIC_DISPATCH(ResizeRowRgb)(rgbx, taps, rgb);
}

void MixRows(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(MixRows)(rows, weights, used, bytes, out);
}

void SpreadRgb(const uint8_t* rgb, int count, bool reversed, uint8_t* rgbx) {
  HWY_DYNAMIC_DISPATCH(SpreadRgb)(rgb, count, reversed, rgbx);
}

// Models that take gray images are small and rare; the plain loop serves them.
void ResizeRowGray(const uint8_t* gray, const Taps& taps, uint8_t* out) {
  reference::ResizeRowGray(gray, taps, out);
}

}  // namespace vitrine
#endif  // HWY_ONCE
