// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/resize_rows.h"

#include <algorithm>
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

/// Adds up to four pixels, each times its weight, to two sums by turns, so that one multiply-add need not
/// wait for the one before it.
template <int kPixels>
HWY_INLINE void WeighPixels(const uint8_t* HWY_RESTRICT rgbx, const int32_t* HWY_RESTRICT weights,
                            hn::Vec<Lanes4>& even, hn::Vec<Lanes4>& odd) {
  const auto pixels = hn::LoadU(Bytes16(), rgbx);
  const auto weight = hn::LoadU(Lanes4(), weights);
  even = hn::MulAdd(SpreadPixel<0>(pixels), hn::Broadcast<0>(weight), even);
  odd = hn::MulAdd(SpreadPixel<1>(pixels), hn::Broadcast<1>(weight), odd);
  if constexpr (kPixels == kTapGroup) {
    even = hn::MulAdd(SpreadPixel<2>(pixels), hn::Broadcast<2>(weight), even);
    odd = hn::MulAdd(SpreadPixel<3>(pixels), hn::Broadcast<3>(weight), odd);
  }
}

/// Writes the three bytes of one output pixel, and one that does not count where there is room for it.
HWY_INLINE void StorePixel(hn::Vec<Lanes4> sum, bool has_room, uint8_t* HWY_RESTRICT rgb) {
  const hn::FixedTag<uint8_t, 4> pixel;
  const auto bytes = hn::DemoteTo(pixel, hn::ShiftRight<kWeightBits>(sum));
  if (has_room) {
    hn::StoreU(bytes, pixel, rgb);
  } else {
    alignas(16) uint8_t last[4];
    hn::Store(bytes, pixel, last);
    std::memcpy(rgb, last, 3);
  }
}

/// A row in which no pixel has more than kTaps weights; any number of them where kTaps is 0. Knowing the
/// number saves half of the instructions of a filter that covers six pixels.
template <int kTaps>
HWY_INLINE void ResizeRowOf(const uint8_t* HWY_RESTRICT rgbx, const Taps& taps, uint8_t* HWY_RESTRICT rgb) {
  const int32_t* HWY_RESTRICT first = taps.first;
  [[maybe_unused]] const int32_t* HWY_RESTRICT used = taps.used;
  const int32_t* HWY_RESTRICT weights = taps.weights;
  const ptrdiff_t begin = taps.source_begin, stride = taps.stride;
  for (int left = taps.count; left > 0; --left, weights += stride, rgb += 3) {
    const uint8_t* HWY_RESTRICT from = rgbx + 4 * (*first++ - begin);
    auto even = hn::Set(Lanes4(), kHalf), odd = hn::Zero(Lanes4());
    if constexpr (kTaps == 0) {
      const ptrdiff_t end = *used++;
      for (ptrdiff_t t = 0; t < end; t += kTapGroup) WeighPixels<4>(from + 4 * t, weights + t, even, odd);
    }
    if constexpr (kTaps >= 4) WeighPixels<4>(from, weights, even, odd);
    if constexpr (kTaps >= 8) WeighPixels<4>(from + 16, weights + 4, even, odd);
    if constexpr (kTaps >= 12) WeighPixels<4>(from + 32, weights + 8, even, odd);
    if constexpr (kTaps % 4 == 2) WeighPixels<2>(from + 4 * (kTaps - 2), weights + kTaps - 2, even, odd);
    StorePixel(hn::Add(even, odd), left > 1, rgb);
  }
}

void ResizeRowRgb(const uint8_t* HWY_RESTRICT rgbx, const Taps& taps, uint8_t* HWY_RESTRICT rgb) {
  switch ((taps.widest + 1) / 2) {
    case 1:
      return ResizeRowOf<2>(rgbx, taps, rgb);
    case 2:
      return ResizeRowOf<4>(rgbx, taps, rgb);
    case 3:
      return ResizeRowOf<6>(rgbx, taps, rgb);
    case 4:
      return ResizeRowOf<8>(rgbx, taps, rgb);
    case 5:
      return ResizeRowOf<10>(rgbx, taps, rgb);
    case 6:
      return ResizeRowOf<12>(rgbx, taps, rgb);
    default:
      return ResizeRowOf<0>(rgbx, taps, rgb);
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

namespace reference {
namespace {

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

uint8_t ToByte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

}  // namespace

void ResizeRowRgb(const uint8_t* rgbx, const Taps& taps, uint8_t* rgb) {
  for (int i = 0; i < taps.count; ++i) {
    const uint8_t* pixel = rgbx + ptrdiff_t{4} * (taps.first[i] - taps.source_begin);
    const int32_t* weights = taps.weights + static_cast<ptrdiff_t>(i) * taps.stride;
    for (int channel = 0; channel < 3; ++channel) {
      int32_t sum = kHalf;
      for (int t = 0; t < taps.used[i]; ++t) sum += pixel[4 * t + channel] * weights[t];
      *rgb++ = ToByte(sum);
    }
  }
}

void ResizeRowGray(const uint8_t* gray, const Taps& taps, uint8_t* out) {
  for (int i = 0; i < taps.count; ++i) {
    const uint8_t* pixel = gray + (taps.first[i] - taps.source_begin);
    const int32_t* weights = taps.weights + static_cast<ptrdiff_t>(i) * taps.stride;
    int32_t sum = kHalf;
    for (int t = 0; t < taps.used[i]; ++t) sum += pixel[t] * weights[t];
    out[i] = ToByte(sum);
  }
}

void MixRows(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out) {
  for (size_t x = 0; x < bytes; ++x) {
    int32_t sum = kHalf;
    for (int t = 0; t < used; ++t) sum += rows[t][x] * weights[t];
    out[x] = ToByte(sum);
  }
}

void SpreadRgb(const uint8_t* rgb, int count, bool reversed, uint8_t* rgbx) {
  const int first = reversed ? 2 : 0;
  for (int i = 0; i < count; ++i, rgb += 3, rgbx += 4) {
    rgbx[0] = rgb[first];
    rgbx[1] = rgb[1];
    rgbx[2] = rgb[2 - first];
  }
}

}  // namespace reference

}  // namespace vitrine
#endif  // HWY_ONCE
