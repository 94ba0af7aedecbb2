// SPDX-License-Identifier: Apache-2.0
// The inner loops of decoding a JPEG, with Highway. jpeg_rows_reference.cc has the plain version of each.
//
// All are exact: they give libjpeg-turbo's bytes on every instruction set. Nothing is read or written outside
// the lengths that are given.
#pragma once

#include <cstdint>

namespace vitrine {

/// Inverse cosine transform of one block: 64 coefficients in natural order to 8 x 8 samples, rows `stride`
/// bytes apart. Loeffler, Ligtenberg and Moschytz, "Practical Fast 1-D DCT Algorithms with 11
/// Multiplications", ICASSP 1989; 13-bit constants, two bits kept between the passes. Any coefficients are
/// fine: sums wrap.
void InverseTransform(uint8_t* out, int stride, short coefficients[64]);

/// Twice as wide: each of `width` samples, at least 3, becomes two, 3/4 itself and 1/4 the neighbour on that
/// side; halves are rounded up and down by turns. The outermost stay as they are. Writes 2 * width bytes.
void WidenRow(const uint8_t* in, int width, uint8_t* out);

/// One row of twice the width and height, in one step of 1/16: 3/4 the near row and 1/4 the far
/// one, then as WidenRow.
void WidenRowPair(const uint8_t* near, const uint8_t* far, int width, uint8_t* out);

/// Converts `count` pixels of JFIF's Y, Cb, Cr to packed RGB.
void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* rgb);

namespace reference {
void InverseTransform(uint8_t* out, int stride, short coefficients[64]);
void WidenRow(const uint8_t* in, int width, uint8_t* out);
void WidenRowPair(const uint8_t* near, const uint8_t* far, int width, uint8_t* out);
void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* rgb);
}  // namespace reference

}  // namespace vitrine
