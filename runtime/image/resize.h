// SPDX-License-Identifier: Apache-2.0
// Resizes the part of a picture that a crop keeps, bit for bit as Pillow 13 does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

#include "runtime/image/frame_rows.h"
#include "runtime/image/pixels.h"
#include "runtime/base/memory.h"
#include "runtime/image/taps.h"
#include "runtime/image/yuv_rows.h"

namespace vitrine {

/// A picture of source size, resized to target size, of which the part `kept` is computed.
struct ResizeShape {
  int source_width = 0;
  int source_height = 0;
  int target_width = 0;
  int target_height = 0;
  Crop kept;         ///< within the target
  int channels = 3;  ///< 3: RGB out; 1: gray out
  Interpolation interpolation = Interpolation::kBicubic;
  bool is_yuv = false;  ///< whether the source has a YUV format
  bool operator==(const ResizeShape&) const = default;
};

/// The weights and scratch memory of one resize. Rows stream through it: there is no intermediate picture, only as many
/// rows as the filter needs.
///
///     horizontal first:  source row ─ spread ─ ResizeRow ─> | ring of narrow rows | ─ MixRows ─> out row
///     vertical first:    source rows ─ MixRows ─ spread ─ ResizeRow ─> out row
///
/// Samples are rounded to eight bits between the two directions, so their order matters (by up to twelve levels). It is
/// that of Pillow 13: vertical first where (source_height - target_height) > 2 * (source_width - target_width) and the
/// height shrinks. Pillow 11.3 always resized horizontally first.
///
/// A YUV picture that shrinks to half or less, horizontally first, uses 16-bit kernels (frame_rows.h). Only the part of a
/// row that the crop needs is converted. A pixel may differ by one level from the same picture in RGB.
///
/// Use from one thread at a time. Move only.
class ResizePlan {
 public:
  /// Prepares the plan for `shape`. Allocates only when it needs more memory than for any shape before. Fails with
  /// kInvalidArgument when a side is not positive or `kept` is not inside the target, with kOutOfMemory. After a failure
  /// the plan is empty.
  Status Prepare(const ResizeShape& shape);

  /// Writes the kept pixels to `out`, packed, with rows `out_stride` bytes apart. `source` must have passed CheckView() and
  /// have the prepared size. Does not allocate.
  void Run(const ImageView& source, uint8_t* out, ptrdiff_t out_stride);
  /// The same for a picture that is read row by row.
  void Run(const RowReader& source, uint8_t* out, ptrdiff_t out_stride);

  const ResizeShape& shape() const { return shape_; }

 private:
  size_t Lay(uint8_t* base);
  void RunRows(const RowReader& source, const ImageView* in_place, uint8_t* out, ptrdiff_t out_stride);
  void MakeRow(const RowReader& source, int y);
  void Narrow(const uint8_t* row, uint8_t* out);
  uint8_t* RingRow(int y) const;
  size_t ring_row_bytes() const;
  void RunFrame(const ImageView& source, uint8_t* out, ptrdiff_t out_stride);
  void MakeFrameRow(const ImageView& source, const YuvFactors& factors, int y);

  ResizeShape shape_;
  Taps horizontal_, vertical_;
  bool vertical_first_ = false;
  bool wide_rows_ = false;      // rows reach MixRows at the source's width, not yet resized
  bool by_frame_rows_ = false;  // through the kernels of frame_rows.h
  FrameTaps frame_horizontal_;
  FrameWeights frame_vertical_;
  int16_t* planes_ = nullptr;  // [3, plane_stride_] a row as red, green and blue, from an even pixel on
  ptrdiff_t plane_stride_ = 0;
  ScratchMemory memory_;
  size_t row_bytes_ = 0;              // of a row that MixRows works on
  const uint8_t** window_ = nullptr;  // [vertical_.widest + 1] the rows that make one output row
  uint8_t* ring_ = nullptr;           // [vertical_.widest, RoundUp(row_bytes_)] row y is in slot y % widest
  uint8_t* mixed_ = nullptr;          // [row_bytes_]
  uint8_t* spread_ = nullptr;         // [source samples, 4], and kRowPadding
};

}  // namespace vitrine
