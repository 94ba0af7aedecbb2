// SPDX-License-Identifier: Apache-2.0
// Rows of a picture in any pixel format, read into the layouts that the resize works on.
#pragma once

#include <cstdint>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

namespace vitrine {

/// A row in scratch memory; the value is its bytes a pixel.
enum class RowLayout : uint8_t { kGray = 1, kRgb = 3, kRgbx = 4 };

/// Rows of a picture that is read piece by piece, however it is stored: as ReadRow() below. Rows are asked
/// for once, from the top down.
struct RowReader {
  void (*read)(const void* picture, int x, int y, int count, RowLayout layout, uint8_t* out);
  const void* picture;
};

/// The longest side of a picture that is processed, in pixels: JPEG's own limit.
inline constexpr int kMaxImageSide = 65535;

/// Returns what is wrong with a view: null, a side that is not in 1..kMaxImageSide, rows that
/// overlap, a plane that is missing, or a format that is not one of PixelFormat's. Cannot tell
/// whether the pixels are there.
Status CheckView(const ImageView& view);

/// Whether colour is at half the resolution.
bool IsYuv(PixelFormat format);

/// Whether a row of `format` is already in `layout`, so that it can be used in place.
bool IsLayoutOf(PixelFormat format, RowLayout layout);

/// Writes `count` pixels from (x, y) on to `out`. Color becomes gray as in Pillow: 0.299 R + 0.587 G + 0.114
/// B, rounded, in 16-bit fixed point. The fourth byte of kRgbx is undefined.
/// YUV becomes RGB first (yuv_rows.h).
void ReadRow(const ImageView& view, int x, int y, int count, RowLayout layout, uint8_t* out);

}  // namespace vitrine
