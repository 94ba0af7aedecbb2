// SPDX-License-Identifier: Apache-2.0
// From dequantized JPEG coefficients to pixels, to the last bit as libjpeg-turbo does it by default: the
// accurate integer transform, triangle-filtered chroma, 16-bit fixed-point colour. A photo then gives a model
// the same input here as in training.
//
// The methods are those of the Independent JPEG Group's jidctint.c, jdsample.c and jdcolor.c, written anew.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine {

/// One color component as the file stores it, at its own resolution.
struct JpegPlane {
  const uint8_t* samples = nullptr;
  int width = 0;  ///< samples that belong to the picture; more may follow in a row
  int height = 0;
  int stride = 0;
  int across = 1;  ///< pixels a sample stands for, horizontally: 1 to 4
  int down = 1;    ///< and vertically
};

/// Returns row y of the picture at full resolution: either within the plane, or written to `row`, which has
/// room for plane.width * plane.across bytes. Factors of two are filtered with weights 3/4 and 1/4, others
/// repeat samples.
const uint8_t* UpsampleRow(const JpegPlane& plane, int y, uint8_t* row);

/// Converts `count` pixels of inverted CMYK, as Adobe writes it and everybody reads it, to packed RGB without
/// a colour profile, as Pillow does. Where `is_ycck`, the first three are Y, Cb, Cr of the inks.
void CmykToRgb(const uint8_t* const planes[4], bool is_ycck, int count, uint8_t* rgb);

}  // namespace vitrine
