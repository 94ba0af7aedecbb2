// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>

#include "runtime/image/frame_rows.h"

namespace vitrine {
namespace {

constexpr int kShift = kWeightBits - kFrameWeightBits;
constexpr int32_t kLargest = (1 << (kWeightBits - 1)) - (64 << kShift);  // with room for what rounding adds

int16_t ToLevel(int32_t sum) {
  constexpr int32_t kHalf = 1 << (kFrameWeightBits - 1);
  return static_cast<int16_t>(std::clamp((sum + kHalf) >> kFrameWeightBits, 0, 255));
}

/// Rounds the weights of target sample i. What rounding has added or taken goes to the largest, so that a
/// flat picture stays flat.
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
