// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runtime/image/resize_rows.h"

namespace vitrine::reference {
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

}  // namespace vitrine::reference
