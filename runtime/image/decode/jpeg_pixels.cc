// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/decode/jpeg_pixels.h"

#include <algorithm>

#include "runtime/image/decode/jpeg_rows.h"

namespace vitrine {
namespace {

/// The row of a plane nearest to y that exists.
const uint8_t* RowAt(const JpegPlane& plane, int y) {
  return plane.samples + static_cast<ptrdiff_t>(std::clamp(y, 0, plane.height - 1)) * plane.stride;
}

/// Twice as high: 3/4 the near row and 1/4 the far one.
void MixRowPair(const uint8_t* near, const uint8_t* far, int width, int bias, uint8_t* out) {
  for (int x = 0; x < width; ++x) out[x] = static_cast<uint8_t>((3 * near[x] + far[x] + bias) >> 2);
}

void RepeatSamples(const uint8_t* in, int width, int times, uint8_t* out) {
  for (int x = 0; x < width; ++x, out += times) std::fill_n(out, times, in[x]);
}

/// a * b / 255, rounded.
int MultiplyFractions(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

}  // namespace

const uint8_t* UpsampleRow(const JpegPlane& plane, int y, uint8_t* row) {
  const int sample_y = y / plane.down;
  const uint8_t* near = RowAt(plane, sample_y);
  const bool upper = y % 2 == 0;
  const uint8_t* far = RowAt(plane, upper ? sample_y - 1 : sample_y + 1);
  if (plane.across == 1 && plane.down == 1) return near;
  if (plane.across == 2 && plane.down == 1 && plane.width > 2) {
    WidenRow(near, plane.width, row);
  } else if (plane.across == 1 && plane.down == 2) {
    MixRowPair(near, far, plane.width, upper ? 1 : 2, row);
  } else if (plane.across == 2 && plane.down == 2 && plane.width > 2) {
    WidenRowPair(near, far, plane.width, row);
  } else {
    RepeatSamples(near, plane.width, plane.across, row);
  }
  return row;
}

void CmykToRgb(const uint8_t* const planes[4], bool is_ycck, int count, uint8_t* rgb) {
  if (is_ycck) YccToRgb(planes[0], planes[1], planes[2], count, rgb);
  for (int i = 0; i < count; ++i, rgb += 3) {
    const int white = planes[3][i];
    for (int channel = 0; channel < 3; ++channel) {
      const int ink = is_ycck ? rgb[channel] : 255 - planes[channel][i];
      rgb[channel] = static_cast<uint8_t>(white - MultiplyFractions(ink, white));
    }
  }
}

}  // namespace vitrine
