// SPDX-License-Identifier: Apache-2.0
// Converts a row of a camera's YUV to red, green and blue, with Highway; the plain version is in namespace reference.
//
// 16-bit fixed point, with the same result on every instruction set, within one level of the rounded formula of ITU-R BT.601
// or BT.709 in real numbers. Both pixels of a chroma sample use it unchanged.
#pragma once

#include <cstdint>
#include <vitrine/image.hpp>

namespace vitrine {

/// The factors of Y, U and V in red, green and blue, as multiples of 2^-9, for samples from which 128 was subtracted. `bias`
/// is added to every sum, in 1/64 level; it includes half a level for rounding.
struct YuvFactors {
  int16_t luma, red_v, green_u, green_v, blue_u, bias;
};

/// Returns the factors of a color matrix and range.
YuvFactors FactorsOf(YuvMatrix matrix, YuvRange range);

/// The samples of a row. Chroma sample i belongs to pixels 2 * i and 2 * i + 1.
struct YuvRow {
  const uint8_t *luma, *u, *v;
  int luma_step;    ///< bytes between samples: 2 for YUYV, else 1
  int chroma_step;  ///< 4 for YUYV, 2 for NV12 and NV21, 1 for I420
};

/// Returns the samples of row y of `view`, which has a YUV format, starting at pixel x, which is even.
YuvRow RowOf(const ImageView& view, int x, int y);

/// Writes `count` pixels as 0..255 to planes of red, green and blue. Reads and writes nothing past the last
/// pixel. About 4 vector operations per 16 bytes of vector and pixel.
void YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red, int16_t* green,
                 int16_t* blue);

namespace reference {
void YuvToPlanes(const YuvRow& row, const YuvFactors& factors, int count, int16_t* red, int16_t* green,
                 int16_t* blue);
}  // namespace reference

}  // namespace vitrine
