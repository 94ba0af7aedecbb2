// SPDX-License-Identifier: Apache-2.0
// Decodes the JPEGs of a camera one after the other and returns the rows of a crop, without a whole picture in RGB.
//
// The inner loops of decoding a JPEG, with Highway; the plain version of each is in namespace reference.
//
// All are exact: they return libjpeg-turbo's bytes on every instruction set. They read and write nothing outside the given
// lengths.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vitrine/status.hpp>

#include "runtime/image/pixels.h"

namespace vitrine {

/// The planes of a JPEG, and its rows in RGB on request: the same bytes as from Image::Decode() without orientation. Keeps
/// its memory: once the largest picture has been decoded, nothing is allocated. Use from one thread at a time. Move only.
class JpegRows {
 public:
  JpegRows();
  JpegRows(JpegRows&&) noexcept;
  JpegRows& operator=(JpegRows&&) noexcept;
  ~JpegRows();

  /// Decodes to planes: 1.5 bytes per pixel for most cameras. Fails like Image::Decode(); then there is no picture. `bytes`
  /// may be freed afterwards.
  Status Decode(std::span<const uint8_t> bytes);

  /// Size of the last decoded picture, in pixels.
  int width() const;
  int height() const;
  RowReader reader() const;  ///< valid until the next Decode()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Computes the inverse cosine transform of one block: 64 coefficients in natural order to 8 x 8 samples, rows `stride`
/// bytes apart. Loeffler, Ligtenberg and Moschytz, "Practical Fast 1-D DCT Algorithms with 11
/// Multiplications", ICASSP 1989; 13-bit constants, two bits kept between the passes. Any coefficients are allowed:
/// sums wrap.
void InverseTransform(uint8_t* out, int stride, short coefficients[64]);

/// Doubles the width: each of `width` samples, at least 3, becomes two, each 3/4 itself plus 1/4 of the neighbor on that
/// side; halves are rounded up and down alternately. The outermost samples stay unchanged. Writes 2 * width bytes.
void WidenRow(const uint8_t* in, int width, uint8_t* out);

/// Computes one row of the picture at twice the width and height, with weights in 1/16: 3/4 of the near row plus 1/4 of the
/// far row, then like WidenRow.
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
