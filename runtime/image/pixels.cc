// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/pixels.h"

#include <cstdlib>
#include <cstring>

#include "runtime/image/resize_rows.h"

namespace vitrine {
namespace {

/// Where a format keeps its samples within a pixel.
struct Samples {
  int bytes, red, green, blue;
};

/// Returns {0, ...} for a format that is not known.
Samples SamplesOf(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb8:
      return {3, 0, 1, 2};
    case PixelFormat::kBgr8:
      return {3, 2, 1, 0};
    case PixelFormat::kRgba8:
      return {4, 0, 1, 2};
    case PixelFormat::kGray8:
      return {1, 0, 0, 0};
  }
  return {0, 0, 0, 0};
}

uint8_t Luma(int red, int green, int blue) {
  return static_cast<uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

void GatherGray(const uint8_t* from, const Samples& at, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i, from += at.bytes)
    out[i] = Luma(from[at.red], from[at.green], from[at.blue]);
}

void GatherRgb(const uint8_t* from, const Samples& at, int count, int out_bytes, uint8_t* out) {
  for (int i = 0; i < count; ++i, from += at.bytes, out += out_bytes) {
    out[0] = from[at.red];
    out[1] = from[at.green];
    out[2] = from[at.blue];
  }
}

}  // namespace

Status CheckView(const ImageView& view) {
  const Samples at = SamplesOf(view.format);
  if (at.bytes == 0) {
    return Status::Error(Code::kInvalidArgument, "image has pixel format %d, which is not known",
                         static_cast<int>(view.format));
  }
  if (view.pixels == nullptr)
    return Status::Error(Code::kInvalidArgument, "image has no pixels: the pointer is null");
  if (view.width < 1 || view.height < 1 || view.width > kMaxImageSide || view.height > kMaxImageSide) {
    return Status::Error(Code::kInvalidArgument, "image is %d x %d, expected sides of 1 to %d pixels",
                         view.width, view.height, kMaxImageSide);
  }
  const ptrdiff_t row_bytes = ptrdiff_t{at.bytes} * view.width;
  if (view.height > 1 && std::abs(view.stride_bytes) < row_bytes) {
    return Status::Error(Code::kInvalidArgument, "image has a stride of %td bytes, but its rows have %td",
                         view.stride_bytes, row_bytes);
  }
  return {};
}

bool IsLayoutOf(PixelFormat format, RowLayout layout) {
  return (format == PixelFormat::kRgb8 && layout == RowLayout::kRgb) ||
         (format == PixelFormat::kGray8 && layout == RowLayout::kGray);
}

void ReadRow(const ImageView& view, int x, int y, int count, RowLayout layout, uint8_t* out) {
  const Samples at = SamplesOf(view.format);
  const uint8_t* from = view.pixels + y * view.stride_bytes + ptrdiff_t{at.bytes} * x;
  const size_t out_bytes = static_cast<size_t>(layout);
  if (IsLayoutOf(view.format, layout) || (view.format == PixelFormat::kRgba8 && layout == RowLayout::kRgbx)) {
    std::memcpy(out, from, out_bytes * static_cast<size_t>(count));
  } else if (layout == RowLayout::kGray) {
    GatherGray(from, at, count, out);
  } else if (layout == RowLayout::kRgbx && at.bytes == 3) {
    SpreadRgb(from, count, at.red != 0, out);
  } else {
    GatherRgb(from, at, count, static_cast<int>(out_bytes), out);
  }
}

}  // namespace vitrine
