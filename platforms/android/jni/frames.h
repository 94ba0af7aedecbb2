// SPDX-License-Identifier: Apache-2.0
// A camera's planes (YUV_420_888) as a picture of vitrine.h, and turned upright.
#pragma once

#include <vitrine/vitrine.h>

#include <cstdint>

namespace vitrine_jni {

/// In the order of dev.vitrine.Frame.geometry(). Pixels, and strides in bytes; Y's pixels are a byte apart.
struct Geometry {
  int32_t width, height;
  int32_t y_row_stride, chroma_row_stride, chroma_pixel_stride;
  int32_t crop_left, crop_top, crop_width, crop_height;  ///< left and top are even
  int32_t bt709, full_range;
};

/// Planes of Y, U and V, and how many bytes may be read from each on.
struct Planes {
  const uint8_t* at[3];
  int64_t bytes[3];
};

/// What is wrong with the frame, or null: sides, strides, a part that is not within, planes that end too
/// soon.
const char* WhatIsWrong(const Planes& planes, const Geometry& geometry);

/// The frame without a copy: as I420, NV12 or NV21; with a format of -1 where its colour lies otherwise.
vitrine_image ImageOf(const Planes& planes, const Geometry& geometry);

/// Copies the part that is looked at, turned clockwise by 0, 90, 180 or 270 degrees, to `out`, as Y, U and V
/// one after another: w * h and twice (w + 1) / 2 * ((h + 1) / 2) bytes, w and h those after turning. A
/// sample of colour stays with its pixels, but where an odd side becomes the first: half of them then take
/// their neighbour's.
void Turn(const Planes& planes, const Geometry& geometry, int degrees, uint8_t* out);

}  // namespace vitrine_jni
