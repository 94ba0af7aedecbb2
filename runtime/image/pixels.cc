// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/pixels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runtime/base/status.h"
#include "runtime/image/resize_rows.h"
#include "runtime/image/yuv_rows.h"

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
    case PixelFormat::kYuyv8:
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
    case PixelFormat::kNv21:
      break;
  }
  return {0, 0, 0, 0};
}

/// Whether U and V share a plane.
bool HasChromaByTurns(PixelFormat format) {
  return format == PixelFormat::kNv12 || format == PixelFormat::kNv21;
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

/// Bytes that a row has at least; 0 for a format that is not known.
ptrdiff_t RowBytes(const ImageView& view) {
  if (view.format == PixelFormat::kYuyv8) return ptrdiff_t{2} * view.width;
  return IsYuv(view.format) ? view.width : ptrdiff_t{SamplesOf(view.format).bytes} * view.width;
}

Status CheckStride(const char* rows, ptrdiff_t stride_bytes, ptrdiff_t row_bytes) {
  if (std::abs(stride_bytes) >= row_bytes) return {};
  return Status::Error(Code::kInvalidArgument, "image has a stride of %td bytes, but its %s have %td",
                       stride_bytes, rows, row_bytes);
}

Status CheckChroma(const ImageView& view) {
  if (view.matrix > YuvMatrix::kBt709 || view.range > YuvRange::kFull) {
    return Status::Error(Code::kInvalidArgument, "image has YUV matrix %d and range %d, which are not known",
                         static_cast<int>(view.matrix), static_cast<int>(view.range));
  }
  if (view.format == PixelFormat::kYuyv8) {
    if (view.width % 2 == 0) return {};
    return Status::Error(Code::kInvalidArgument, "image in YUYV is %d pixels wide, expected an even number",
                         view.width);
  }
  const bool by_turns = HasChromaByTurns(view.format);
  if (view.chroma[0] == nullptr || (!by_turns && view.chroma[1] == nullptr))
    return Status::Error(Code::kInvalidArgument, "image has no colour: the pointer to a plane is null");
  if (view.height <= 2) return {};
  return CheckStride("rows of colour", view.chroma_stride_bytes,
                     (ptrdiff_t{view.width} + 1) / 2 * (by_turns ? 2 : 1));
}

/// As ReadRow(), for a YUV format: by pieces that fit the stack, from an even pixel on.
void ReadYuvRow(const ImageView& view, int x, int y, int count, RowLayout layout, uint8_t* out) {
  constexpr int kPiece = 256;
  const YuvFactors factors = FactorsOf(view.matrix, view.range);
  const int bytes = static_cast<int>(layout);
  int16_t red[kPiece], green[kPiece], blue[kPiece];
  for (int end = x + count; x < end;) {
    const int skip = x % 2, piece = std::min(end - x + skip, kPiece);
    YuvToPlanes(RowOf(view, x - skip, y), factors, piece, red, green, blue);
    for (int i = skip; i < piece; ++i, ++x, out += bytes) {
      if (layout == RowLayout::kGray) {
        *out = Luma(red[i], green[i], blue[i]);
        continue;
      }
      out[0] = static_cast<uint8_t>(red[i]);
      out[1] = static_cast<uint8_t>(green[i]);
      out[2] = static_cast<uint8_t>(blue[i]);
    }
  }
}

}  // namespace

bool IsYuv(PixelFormat format) {
  return format == PixelFormat::kYuyv8 || format == PixelFormat::kI420 || HasChromaByTurns(format);
}

Status CheckView(const ImageView& view) {
  if (RowBytes(view) == 0 && view.width != 0) {
    return Status::Error(Code::kInvalidArgument, "image has pixel format %d, which is not known",
                         static_cast<int>(view.format));
  }
  if (view.pixels == nullptr)
    return Status::Error(Code::kInvalidArgument, "image has no pixels: the pointer is null");
  if (view.width < 1 || view.height < 1 || view.width > kMaxImageSide || view.height > kMaxImageSide) {
    return Status::Error(Code::kInvalidArgument, "image is %d x %d, expected sides of 1 to %d pixels",
                         view.width, view.height, kMaxImageSide);
  }
  if (view.height > 1) VITRINE_RETURN_IF_ERROR(CheckStride("rows", view.stride_bytes, RowBytes(view)));
  return IsYuv(view.format) ? CheckChroma(view) : Status();
}

Result<ImageView> CropOf(const ImageView& image, const Crop& crop) {
  VITRINE_RETURN_IF_ERROR(CheckView(image));
  if (crop.left < 0 || crop.top < 0 || crop.width < 1 || crop.height < 1 ||
      crop.width > image.width - crop.left || crop.height > image.height - crop.top) {
    return Status::Error(Code::kInvalidArgument, "%d x %d pixels from (%d, %d) on are not within %d x %d",
                         crop.width, crop.height, crop.left, crop.top, image.width, image.height);
  }
  const bool has_planes = IsYuv(image.format) && image.format != PixelFormat::kYuyv8;
  if (IsYuv(image.format) && (crop.left % 2 != 0 || (has_planes && crop.top % 2 != 0)))
    return Status::Error(Code::kInvalidArgument,
                         "a part of a YUV picture begins at (%d, %d), expected even numbers", crop.left,
                         crop.top);
  ImageView part = image;
  part.width = crop.width;
  part.height = crop.height;
  const ptrdiff_t pixel_bytes = image.format == PixelFormat::kYuyv8 ? 2
                                : has_planes                        ? 1
                                                                    : SamplesOf(image.format).bytes;
  part.pixels += crop.top * image.stride_bytes + crop.left * pixel_bytes;
  if (has_planes) {
    const ptrdiff_t across = HasChromaByTurns(image.format) ? crop.left : crop.left / 2;
    for (const uint8_t*& plane : part.chroma) {
      if (plane != nullptr) plane += crop.top / 2 * image.chroma_stride_bytes + across;
    }
  }
  VITRINE_RETURN_IF_ERROR(CheckView(part));
  return part;
}

bool IsLayoutOf(PixelFormat format, RowLayout layout) {
  return (format == PixelFormat::kRgb8 && layout == RowLayout::kRgb) ||
         (format == PixelFormat::kGray8 && layout == RowLayout::kGray);
}

void ReadRow(const ImageView& view, int x, int y, int count, RowLayout layout, uint8_t* out) {
  if (IsYuv(view.format)) return ReadYuvRow(view, x, y, count, layout, out);
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
