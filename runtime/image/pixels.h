// SPDX-License-Identifier: Apache-2.0
// Reads rows of a picture in any pixel format into the layouts that the resize works on.
#pragma once

#include <cstdint>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

namespace vitrine {

/// The layout of a row in scratch memory; the value is its bytes per pixel.
enum class RowLayout : uint8_t { kGray = 1, kRgb = 3, kRgbx = 4 };

/// A picture that is read row by row, whatever its storage. `read` works like ReadRow() below. Each row is read once, from
/// the top down.
struct RowReader {
  void (*read)(const void* picture, int x, int y, int count, RowLayout layout, uint8_t* out);
  const void* picture;
};

/// The longest supported side of a picture, in pixels: the limit of JPEG.
inline constexpr int kMaxImageSide = 65535;

/// Returns what is wrong with a view: a null pointer, a side outside 1..kMaxImageSide, overlapping rows, a missing plane,
/// or an unknown format. Cannot check whether the memory exists.
Status CheckView(const ImageView& view);

/// Returns whether the format is one of the YUV formats, whose color has half the resolution.
bool IsYuv(PixelFormat format);

/// Returns whether a row of `format` already has this layout, so that it can be used in place.
bool IsLayoutOf(PixelFormat format, RowLayout layout);

/// Writes `count` pixels, starting at (x, y), to `out`. Color becomes gray as in Pillow: 0.299 R + 0.587 G + 0.114 B,
/// rounded, in 16-bit fixed point. YUV is converted to RGB first (yuv_rows.h). The fourth byte of kRgbx is undefined.
void ReadRow(const ImageView& view, int x, int y, int count, RowLayout layout, uint8_t* out);

}  // namespace vitrine
