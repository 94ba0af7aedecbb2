// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/frame_rows.h"

#include <algorithm>
#include <cstdlib>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/image/frame_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Bytes8 = hn::FixedTag<uint8_t, 8>;
using Shorts8 = hn::FixedTag<int16_t, 8>;
using Lanes4 = hn::FixedTag<int32_t, 4>;
using Short8 = hn::Vec<Shorts8>;
using Sum4 = hn::Vec<Lanes4>;

constexpr int32_t kHalf = 1 << (kFrameWeightBits - 1);

/// Returns the sums of neighboring lanes of both.
HWY_INLINE Sum4 AddNeighbours(Sum4 a, Sum4 b) {
#if HWY_ARCH_ARM_A64
  return Sum4(vpaddq_s32(a.raw, b.raw));
#else
  return hn::Add(hn::ConcatEven(Lanes4(), b, a), hn::ConcatOdd(Lanes4(), b, a));
#endif
}

/// 16 samples, or weights.
struct Block {
  Short8 low, high;
};

HWY_INLINE Block LoadBlock(const int16_t* HWY_RESTRICT samples) {
  return {hn::LoadU(Shorts8(), samples), hn::LoadU(Shorts8(), samples + 8)};
}

/// Eight products, or the first four where kHalf: the rest is zero then.
template <bool kHalf>
HWY_INLINE Sum4 Products(Short8 samples, Short8 weights) {
#if HWY_ARCH_ARM_A64
  const int32x4_t sum = vmull_s16(vget_low_s16(samples.raw), vget_low_s16(weights.raw));
  return Sum4(kHalf ? sum : vmlal_high_s16(sum, samples.raw, weights.raw));
#else
  return hn::WidenMulPairwiseAdd(Lanes4(), samples, weights);
#endif
}

template <bool kHalf>
HWY_INLINE Sum4 AddProducts(Short8 samples, Short8 weights, Sum4 sum) {
#if HWY_ARCH_ARM_A64
  sum = Sum4(vmlal_s16(sum.raw, vget_low_s16(samples.raw), vget_low_s16(weights.raw)));
  return kHalf ? sum : Sum4(vmlal_high_s16(sum.raw, samples.raw, weights.raw));
#else
  return hn::Add(sum, Products<kHalf>(samples, weights));
#endif
}

/// The first kTaps products of a block, a multiple of four.
template <int kTaps>
HWY_INLINE Sum4 WeighBlock(const Block& samples, const Block& weights) {
  const Sum4 sum = Products<kTaps == 4>(samples.low, weights.low);
  if constexpr (kTaps > 8) return AddProducts<kTaps == 12>(samples.high, weights.high, sum);
  return sum;
}

/// The three sums of a pixel, each over four lanes.
struct Pixel {
  Sum4 red, green, blue;
};

struct Planes {
  const int16_t *red, *green, *blue;
};

/// Two pixels, six sums, to eight samples of which six count.
HWY_INLINE void StorePixels(const Pixel& a, const Pixel& b, int16_t* HWY_RESTRICT rgb) {
  const Sum4 first = AddNeighbours(AddNeighbours(a.red, a.green), AddNeighbours(a.blue, b.red));
  const Sum4 colors = AddNeighbours(b.green, b.blue);
  const Sum4 second = AddNeighbours(colors, colors);
#if HWY_ARCH_ARM_A64
  const uint16x8_t levels =
      vqrshrun_high_n_s32(vqrshrun_n_s32(first.raw, kFrameWeightBits), second.raw, kFrameWeightBits);
  vst1q_s16(rgb, vreinterpretq_s16_u16(vminq_u16(levels, vdupq_n_u16(255))));
#else
  const auto half = hn::Set(Lanes4(), kHalf);
  const auto shorts = hn::OrderedDemote2To(Shorts8(), hn::ShiftRight<kFrameWeightBits>(hn::Add(first, half)),
                                           hn::ShiftRight<kFrameWeightBits>(hn::Add(second, half)));
  hn::StoreU(hn::Clamp(shorts, hn::Zero(Shorts8()), hn::Set(Shorts8(), 255)), Shorts8(), rgb);
#endif
}

/// Rows of at most 16 source samples a pair: kTaps count for its first pixel, kTapsOfTwo for its second.
template <int kTaps, int kTapsOfTwo>
HWY_INLINE void NarrowRow(const Planes& planes, const FrameTaps& taps, int16_t* HWY_RESTRICT rgb) {
  const int32_t* HWY_RESTRICT first = taps.first;
  const int16_t* HWY_RESTRICT weights = taps.weights;
  const int stride = kTapsOfTwo > 8 ? 16 : 8;
  for (int left = taps.pairs; left > 0; --left, weights += 2 * stride, rgb += 6) {
    const ptrdiff_t at = *first++;
    const Block red = LoadBlock(planes.red + at), green = LoadBlock(planes.green + at);
    const Block blue = LoadBlock(planes.blue + at);
    const Block a = LoadBlock(weights), b = LoadBlock(weights + stride);
    StorePixels(
        {WeighBlock<kTaps>(red, a), WeighBlock<kTaps>(green, a), WeighBlock<kTaps>(blue, a)},
        {WeighBlock<kTapsOfTwo>(red, b), WeighBlock<kTapsOfTwo>(green, b), WeighBlock<kTapsOfTwo>(blue, b)},
        rgb);
  }
}

HWY_INLINE Sum4 WeighAny(const int16_t* HWY_RESTRICT samples, const int16_t* HWY_RESTRICT weights,
                         int stride) {
  Sum4 sum = hn::Zero(Lanes4());
  for (int t = 0; t < stride; t += kFrameTapGroup)
    sum = AddProducts<false>(hn::LoadU(Shorts8(), samples + t), hn::LoadU(Shorts8(), weights + t), sum);
  return sum;
}

/// Rows of any number of source samples a pair.
HWY_INLINE void NarrowAnyRow(const Planes& planes, const FrameTaps& taps, int16_t* HWY_RESTRICT rgb) {
  const int16_t* HWY_RESTRICT weights = taps.weights;
  const int stride = taps.stride;
  for (int i = 0; i < taps.pairs; ++i, weights += 2 * stride, rgb += 6) {
    const ptrdiff_t at = taps.first[i];
    const auto weigh = [&](const int16_t* HWY_RESTRICT with) HWY_ATTR {
      return Pixel{WeighAny(planes.red + at, with, stride), WeighAny(planes.green + at, with, stride),
                   WeighAny(planes.blue + at, with, stride)};
    };
    StorePixels(weigh(weights), weigh(weights + stride), rgb);
  }
}

void NarrowPlanes(const int16_t* samples, ptrdiff_t plane_stride, const FrameTaps& taps, int16_t* rgb) {
  const Planes planes = {samples, samples + plane_stride, samples + 2 * plane_stride};
  const int fours = (taps.widest + 3) / 4, fours_of_two = (taps.widest_of_two + 3) / 4;
  if (fours_of_two <= 2) return NarrowRow<8, 8>(planes, taps, rgb);
  if (fours <= 2 && fours_of_two == 3) return NarrowRow<8, 12>(planes, taps, rgb);
  if (fours <= 3 && fours_of_two == 3) return NarrowRow<12, 12>(planes, taps, rgb);
  if (fours <= 3 && fours_of_two == 4) return NarrowRow<12, 16>(planes, taps, rgb);
  if (fours_of_two == 4) return NarrowRow<16, 16>(planes, taps, rgb);
  NarrowAnyRow(planes, taps, rgb);
}

/// Two weights, and eight samples of each of two rows that are multiplied by them.
struct RowPair {
  const int16_t *row0, *row1;
  Short8 weights0, weights1;  // on NEON each fills a vector, elsewhere both take turns in the first

  HWY_INLINE RowPair(const int16_t* row0, const int16_t* row1, int16_t weight0, int16_t weight1)
      : row0(row0), row1(row1), weights0(hn::Set(Shorts8(), weight0)), weights1(hn::Set(Shorts8(), weight1)) {
#if !HWY_ARCH_ARM_A64
    weights0 = hn::OddEven(weights1, weights0);
#endif
  }

  HWY_INLINE void Add(size_t x, Sum4& low, Sum4& high) const {
    const Short8 a = hn::LoadU(Shorts8(), row0 + x), b = hn::LoadU(Shorts8(), row1 + x);
#if HWY_ARCH_ARM_A64
    low = Sum4(vmlal_s16(low.raw, vget_low_s16(a.raw), vget_low_s16(weights0.raw)));
    high = Sum4(vmlal_high_s16(high.raw, a.raw, weights0.raw));
    low = Sum4(vmlal_s16(low.raw, vget_low_s16(b.raw), vget_low_s16(weights1.raw)));
    high = Sum4(vmlal_high_s16(high.raw, b.raw, weights1.raw));
#else
    low = hn::Add(low, hn::WidenMulPairwiseAdd(Lanes4(), hn::InterleaveLower(Shorts8(), a, b), weights0));
    high = hn::Add(high, hn::WidenMulPairwiseAdd(Lanes4(), hn::InterleaveUpper(Shorts8(), a, b), weights0));
#endif
  }
};

HWY_INLINE void StoreMixed(Sum4 low, Sum4 high, uint8_t* HWY_RESTRICT out) {
  const auto shorts = hn::OrderedDemote2To(Shorts8(), hn::ShiftRight<kFrameWeightBits>(low),
                                           hn::ShiftRight<kFrameWeightBits>(high));
  hn::StoreU(hn::DemoteTo(Bytes8(), shorts), Bytes8(), out);
}

/// 48 samples at x where kWide, else eight.
template <bool kWide>
HWY_INLINE void MixSamples(const int16_t* const* HWY_RESTRICT rows, const int16_t* HWY_RESTRICT weights,
                           int used, size_t x, uint8_t* HWY_RESTRICT out) {
  const Sum4 half = hn::Set(Lanes4(), kHalf);
  Sum4 low0 = half, low1 = half, low2 = half, low3 = half, low4 = half, low5 = half;
  Sum4 high0 = half, high1 = half, high2 = half, high3 = half, high4 = half, high5 = half;
  for (int t = 0; t < used; t += 2) {
    const RowPair pair(rows[t] + x, rows[t + 1] + x, weights[t], weights[t + 1]);
    pair.Add(0, low0, high0);
    if constexpr (kWide) {
      pair.Add(8, low1, high1);
      pair.Add(16, low2, high2);
      pair.Add(24, low3, high3);
      pair.Add(32, low4, high4);
      pair.Add(40, low5, high5);
    }
  }
  StoreMixed(low0, high0, out + x);
  if constexpr (kWide) {
    StoreMixed(low1, high1, out + x + 8);
    StoreMixed(low2, high2, out + x + 16);
    StoreMixed(low3, high3, out + x + 24);
    StoreMixed(low4, high4, out + x + 32);
    StoreMixed(low5, high5, out + x + 40);
  }
}

void MixFrameRows(const int16_t* const* HWY_RESTRICT rows, const int16_t* HWY_RESTRICT weights, int used,
                  size_t count, uint8_t* HWY_RESTRICT out) {
  if (count < 8) return reference::MixFrameRows(rows, weights, used, count, out);
  size_t x = 0;
  for (; x + 48 <= count; x += 48) MixSamples<true>(rows, weights, used, x, out);
  for (; x + 8 <= count; x += 8) MixSamples<false>(rows, weights, used, x, out);
  if (x < count) MixSamples<false>(rows, weights, used, count - 8, out);  // overlaps the one before it
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace vitrine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(NarrowPlanes);
HWY_EXPORT(MixFrameRows);

void NarrowPlanes(const int16_t* planes, ptrdiff_t plane_stride, const FrameTaps& taps, int16_t* rgb) {
  HWY_DYNAMIC_DISPATCH(NarrowPlanes)(planes, plane_stride, taps, rgb);
}

void MixFrameRows(const int16_t* const* rows, const int16_t* weights, int used, size_t count, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(MixFrameRows)(rows, weights, used, count, out);
}

namespace {

constexpr int kShift = kWeightBits - kFrameWeightBits;
constexpr int32_t kLargest = (1 << (kWeightBits - 1)) - (64 << kShift);  // leaves room for the rounding error

int16_t ToLevel(int32_t sum) {
  constexpr int32_t kHalf = 1 << (kFrameWeightBits - 1);
  return static_cast<int16_t>(std::clamp((sum + kHalf) >> kFrameWeightBits, 0, 255));
}

/// Rounds the weights of target sample i. The rounding error is added to the largest weight, so that a flat picture stays
/// flat.
bool RoundSample(const Taps& taps, int i, int16_t* rounded) {
  const int32_t* exact = taps.weights + static_cast<ptrdiff_t>(i) * taps.stride;
  int32_t sum = 1 << (kShift - 1), rounded_sum = 0;
  for (int t = 0; t < taps.used[i]; ++t) {
    if (std::abs(exact[t]) >= kLargest) return false;
    rounded[t] = static_cast<int16_t>((exact[t] + (1 << (kShift - 1))) >> kShift);
    sum += exact[t];
    rounded_sum += rounded[t];
  }
  if (taps.used[i] == 0) return true;
  int16_t& largest = *std::max_element(rounded, rounded + taps.used[i]);
  largest = static_cast<int16_t>(largest + (sum >> kShift) - rounded_sum);
  return true;
}

}  // namespace

bool RoundTaps(const Taps& taps, int begin, FrameTaps* frame) {
  frame->pairs = (taps.count + 1) / 2;
  frame->widest = taps.widest;
  frame->widest_of_two = taps.widest_of_two;
  std::fill_n(frame->weights, ptrdiff_t{2} * frame->pairs * frame->stride, int16_t{0});
  for (int i = 0; i < taps.count; ++i) {
    const int first = taps.first[i / 2 * 2];
    if (i % 2 == 0) frame->first[i / 2] = first - begin;
    int16_t* weights = frame->weights + static_cast<ptrdiff_t>(i) * frame->stride;
    if (!RoundSample(taps, i, weights + taps.first[i] - first)) return false;
  }
  return true;
}

bool RoundTaps(const Taps& taps, FrameWeights* frame) {
  std::fill_n(frame->weights, static_cast<ptrdiff_t>(taps.count) * frame->stride, int16_t{0});
  for (int i = 0; i < taps.count; ++i) {
    if (!RoundSample(taps, i, frame->weights + static_cast<ptrdiff_t>(i) * frame->stride)) return false;
  }
  return true;
}

void reference::NarrowPlanes(const int16_t* planes, ptrdiff_t plane_stride, const FrameTaps& taps,
                             int16_t* rgb) {
  for (int i = 0; i < 2 * taps.pairs; ++i) {
    const int16_t* weights = taps.weights + static_cast<ptrdiff_t>(i) * taps.stride;
    for (int color = 0; color < 3; ++color) {
      const int16_t* from = planes + color * plane_stride + taps.first[i / 2];
      int32_t sum = 0;
      for (int t = 0; t < taps.widest_of_two; ++t) sum += from[t] * weights[t];
      *rgb++ = ToLevel(sum);
    }
  }
}

void reference::MixFrameRows(const int16_t* const* rows, const int16_t* weights, int used, size_t count,
                             uint8_t* out) {
  for (size_t x = 0; x < count; ++x) {
    int32_t sum = 0;
    for (int t = 0; t < used; ++t) sum += rows[t][x] * weights[t];
    out[x] = static_cast<uint8_t>(ToLevel(sum));
  }
}

}  // namespace vitrine
#endif  // HWY_ONCE
