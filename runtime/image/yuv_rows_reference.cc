// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "runtime/image/yuv_rows.h"

namespace vitrine {
namespace {

constexpr int kLevelBits = 6;  // of a level, that sums are kept to

/// (256 * sample * factor + 2^14) >> 15: with `factor` in 2^-9, the product in 2^-6.
int Multiply(int sample, int factor) { return (256 * sample * factor + (1 << 14)) >> 15; }

int16_t ToLevel(int sum) { return static_cast<int16_t>(std::clamp(sum >> kLevelBits, 0, 255)); }

/// What 256 * sample, times the result, >> 15 makes 64ths of a level of.
int16_t ToFactor(double factor) {
  return static_cast<int16_t>(std::lround(factor * (1 << kLevelBits) * (1 << 15) / 256));
}

}  // namespace

/// The shares of red and blue in luma define everything else.
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
