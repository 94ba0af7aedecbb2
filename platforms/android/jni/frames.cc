// SPDX-License-Identifier: Apache-2.0
#include "platforms/android/jni/frames.h"

namespace vitrine_jni {
namespace {

constexpr int32_t kMostPixels = 1 << 15;  // per side: products below fit in 64 bits, sizes in 32

/// A plane of samples to read.
struct Samples {
  const uint8_t* at;
  int64_t row_stride, pixel_stride;
  int width, height;
};

/// Writes the rotated plane row by row. `row` is the source of its first sample; the steps `next_sample` and
/// `next_row` follow the rotation.
void TurnPlane(const Samples& from, int degrees, uint8_t* out) {
  const int64_t across = from.pixel_stride, down = from.row_stride;
  const uint8_t* const last = from.at + (from.height - 1) * down + (from.width - 1) * across;
  const uint8_t* row = from.at;
  int64_t next_sample = across, next_row = down;
  int width = from.width, height = from.height;
  if (degrees == 90) {
    row = from.at + (from.height - 1) * down;
    next_sample = -down, next_row = across;
  } else if (degrees == 180) {
    row = last;
    next_sample = -across, next_row = -down;
  } else if (degrees == 270) {
    row = from.at + (from.width - 1) * across;
    next_sample = down, next_row = -across;
  }
  if (degrees % 180 != 0) width = from.height, height = from.width;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) *out++ = row[y * next_row + x * next_sample];
}

bool FitsPlane(int64_t bytes, int64_t width, int64_t height, int64_t row_stride, int64_t pixel_stride) {
  return row_stride >= (width - 1) * pixel_stride + 1 &&
         bytes >= (height - 1) * row_stride + (width - 1) * pixel_stride + 1;
}

}  // namespace

const char* WhatIsWrong(const Planes& planes, const Geometry& g) {
  if (g.width < 1 || g.height < 1 || g.width > kMostPixels || g.height > kMostPixels)
    return "a frame's sides are to be 1 to 32768 pixels";
  if (g.chroma_pixel_stride < 1) return "a frame's pixel stride is to be 1 at least";
  if (g.crop_left < 0 || g.crop_top < 0 || g.crop_width < 1 || g.crop_height < 1 ||
      g.crop_width > g.width - g.crop_left || g.crop_height > g.height - g.crop_top)
    return "the part of a frame to look at is not within it";
  if (!FitsPlane(planes.bytes[0], g.width, g.height, g.y_row_stride, 1))
    return "a frame's plane of Y is too small for its sides and stride";
  for (int i = 1; i <= 2; ++i) {
    if (!FitsPlane(planes.bytes[i], (g.width + 1) / 2, (g.height + 1) / 2, g.chroma_row_stride,
                   g.chroma_pixel_stride))
      return "a frame's planes of U and V are too small for its sides and strides";
  }
  return nullptr;
}

vitrine_image ImageOf(const Planes& planes, const Geometry& g) {
  vitrine_image image = {};
  image.struct_size = sizeof image;
  image.pixels = planes.at[0];
  image.width = g.width;
  image.height = g.height;
  image.stride_bytes = g.y_row_stride;
  image.chroma[0] = planes.at[1];
  image.chroma_stride_bytes = g.chroma_row_stride;
  image.bt709 = g.bt709;
  image.full_range = g.full_range;
  image.crop_left = g.crop_left;
  image.crop_top = g.crop_top;
  image.crop_width = g.crop_width;
  image.crop_height = g.crop_height;
  image.format = static_cast<vitrine_format>(-1);
  if (g.chroma_pixel_stride == 1) {
    image.format = VITRINE_I420;
    image.chroma[1] = planes.at[2];
  } else if (g.chroma_pixel_stride == 2 && planes.at[2] == planes.at[1] + 1) {
    image.format = VITRINE_NV12;
  } else if (g.chroma_pixel_stride == 2 && planes.at[1] == planes.at[2] + 1) {
    image.format = VITRINE_NV21;
    image.chroma[0] = planes.at[2];
  }
  return image;
}

void Turn(const Planes& planes, const Geometry& g, int degrees, uint8_t* out) {
  const Samples luma = {planes.at[0] + g.crop_top * int64_t{g.y_row_stride} + g.crop_left, g.y_row_stride, 1,
                        g.crop_width, g.crop_height};
  TurnPlane(luma, degrees, out);
  out += int64_t{g.crop_width} * g.crop_height;
  const int64_t row = g.chroma_row_stride, pixel = g.chroma_pixel_stride;
  const int width = (g.crop_width + 1) / 2, height = (g.crop_height + 1) / 2;
  for (int i = 1; i <= 2; ++i) {
    TurnPlane({planes.at[i] + g.crop_top / 2 * row + g.crop_left / 2 * pixel, row, pixel, width, height},
              degrees, out);
    out += int64_t{width} * height;
  }
}

}  // namespace vitrine_jni
