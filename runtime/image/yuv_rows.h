// SPDX-License-Identifier: Apache-2.0
// A row of a camera's YUV as red, green and blue, with Highway; the plain version is in
// yuv_rows_reference.cc.
//
// Exact: 16-bit fixed point, the same on every instruction set, and within one level of the formula of ITU-R
// BT.601 or BT.709 in real numbers, rounded. A sample of colour counts for both of its pixels, as it is.
#pragma once

#include <cstdint>
#include <vitrine/image.hpp>

namespace vitrine {

/// Red, green and blue as sums of Y, U and V: whole numbers of 2^-9 for luma and of 2^-9 for colour, on
/// samples that were made signed by taking 128 away, and 64ths of a level that every sum gets, with half a
/// level for rounding.
struct YuvFactors {
  int16_t luma, red_v, green_u, green_v, blue_u, bias;
};

YuvFactors FactorsOf(YuvMatrix matrix, YuvRange range);

/// Where the samples of a row are. Colour sample i belongs to pixels 2 * i and 2 * i + 1.
struct YuvRow {
  const uint8_t *luma, *u, *v;
  int luma_step;    ///< bytes between samples: 2 for YUYV, else 1
  int chroma_step;  ///< 4 for YUYV, 2 for NV12 and NV21, 1 for I420
};

/// The samples of row y of `view`, a YUV format, from pixel x on; x is even.
YuvRow RowOf(const ImageView& view, int x, int y);

/// Writes `count` pixels as 0..255 to planes of red, green and blue. Reads and writes nothing past the last
/// pixel. About 4 vector operations for a pixel and 16 bytes of vector.
void YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red, int16_t* green,
                 int16_t* blue);

namespace reference {
void YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red, int16_t* green,
                 int16_t* blue);
}  // namespace reference

}  // namespace vitrine
