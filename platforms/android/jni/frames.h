// SPDX-License-Identifier: Apache-2.0
// Passes the planes of a camera frame (YUV_420_888) as a vitrine_image, and rotates them.
#pragma once

#include <vitrine/vitrine.h>

#include <cstdint>

namespace vitrine_jni {

/// The values of dev.vitrine.Frame.geometry(), in its order: pixels, and strides in bytes. The pixel stride
/// of Y is 1.
struct Geometry {
  int32_t width, height;
  int32_t y_row_stride, chroma_row_stride, chroma_pixel_stride;
  int32_t crop_left, crop_top, crop_width, crop_height;  ///< left and top are even
  int32_t bt709, full_range;
};

/// The planes Y, U and V, and the number of readable bytes in each.
struct Planes {
  const uint8_t* at[3];
  int64_t bytes[3];
};

/// Returns the error in the sides, the strides, the crop or the size of the planes, or null for a valid
/// frame.
const char* WhatIsWrong(const Planes& planes, const Geometry& geometry);

/// Returns the frame as I420, NV12 or NV21, without a copy. The format is -1 for any other layout of chroma.
vitrine_image ImageOf(const Planes& planes, const Geometry& geometry);

/// Copies the crop, rotated clockwise by 0, 90, 180 or 270 degrees, to `out`: the planes Y, U and V one after
/// another, w * h bytes and twice (w + 1) / 2 * ((h + 1) / 2) bytes, with w and h after rotation. A chroma
/// sample keeps its pixels, except along an odd side that the rotation reverses: half of these pixels then
/// get the chroma of their neighbour.
void Turn(const Planes& planes, const Geometry& geometry, int degrees, uint8_t* out);

}  // namespace vitrine_jni
