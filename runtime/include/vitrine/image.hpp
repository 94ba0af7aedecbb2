// SPDX-License-Identifier: Apache-2.0
// Images: pixels that the caller owns (ImageView), and photos read from files (Image).
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vitrine/status.hpp>

namespace vitrine {

/// How pixels are stored. A sample has eight bits, and rows go from top to bottom. The YUV formats are those
/// of cameras and video, with chroma at half the resolution.
enum class PixelFormat : uint8_t {
  kRgb8,   ///< 3 bytes: red, green, blue
  kBgr8,   ///< 3 bytes: blue, green, red
  kRgba8,  ///< 4 bytes: red, green, blue, alpha; alpha is ignored, without compositing
  kGray8,  ///< 1 byte
  kYuyv8,  ///< 4 bytes for two pixels: Y, U, Y, V; the width is even
  kNv12,   ///< a Y plane; chroma[0]: U and V interleaved, half as wide and half as high
  kI420,   ///< a Y plane; chroma[0]: U, chroma[1]: V, each half as wide and half as high
  kNv21,   ///< like kNv12, with V before U
};

/// Which standard converts Y, U and V to RGB.
enum class YuvMatrix : uint8_t { kBt601, kBt709 };

/// Which values of Y, U and V are in use.
enum class YuvRange : uint8_t {
  kLimited,  ///< Y from 16 to 235, U and V from 16 to 240: cameras and video
  kFull,     ///< from 0 to 255: JPEG
};

/// Pixels that the caller owns. They must stay valid during each call that receives the view.
///
///     pixels ──> |R G B R G B ... R G B|padding|    row 0
///                |R G B R G B ... R G B|padding|    row 1
///                |<--- width pixels -->|       |
///                |<------- stride_bytes ------>|
///
/// Planar formats have Y in `pixels` and the other planes in `chroma`, of (width + 1) / 2 by (height + 1) / 2
/// samples.
struct ImageView {
  const uint8_t* pixels = nullptr;
  int width = 0;               ///< pixels
  int height = 0;              ///< pixels
  ptrdiff_t stride_bytes = 0;  ///< from one row to the next; negative when rows are stored bottom up
  PixelFormat format = PixelFormat::kRgb8;
  const uint8_t* chroma[2] = {nullptr, nullptr};  ///< kNv12, kI420 and kNv21
  ptrdiff_t chroma_stride_bytes = 0;              ///< from one row of a chroma plane to the next
  YuvMatrix matrix = YuvMatrix::kBt601;           ///< for YUV formats only
  YuvRange range = YuvRange::kLimited;            ///< for YUV formats only
};

/// A rectangle in an image, in fractions of its sides from the top left.
struct Region {
  double x = 0, y = 0, width = 1, height = 1;
};

/// The pixels [left, left + width) x [top, top + height) of an image.
struct Crop {
  int left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Crop&) const = default;
};

/// Returns a view of a part of an image. It refers to the same pixels. Fails with kInvalidArgument when the
/// part exceeds the image, or when it splits the chroma of a YUV format: `left` must be even, `top` too for
/// formats with chroma planes, and `width` too for kYuyv8. Does not allocate. Thread-safe.
VITRINE_API Result<ImageView> CropOf(const ImageView& image, const Crop& crop);

/// How to read a file.
struct DecodeOptions {
  /// Rotate the image to its EXIF orientation. Training pipelines that open files with Pillow do not do this:
  /// set it to false to compare with them.
  bool apply_orientation = true;
};

/// An RGB image and its memory. Move only. Many threads may read it at once.
///
/// A JPEG decodes to the same bytes as in libjpeg-turbo with default settings, and therefore as in Pillow.
class VITRINE_API Image {
 public:
  /// The largest supported image: 2^28 pixels, which is 805 MB as RGB.
  static constexpr int64_t kMaxPixels = int64_t{1} << 28;

  Image() = default;
  Image(Image&& other) noexcept { *this = std::move(other); }
  Image& operator=(Image&& other) noexcept {
    std::swap(pixels_, other.pixels_);
    std::swap(width_, other.width_);
    std::swap(height_, other.height_);
    return *this;
  }
  ~Image();

  /// Returns the image in `bytes`, which contain a whole JPEG, PNG, BMP or PNM file, as RGB.
  ///
  /// Converts gray and palette images to RGB, and CMYK without a color profile. Ignores alpha (without
  /// compositing) and embedded color profiles. Uses the upper eight bits of 16-bit samples. Fails with
  /// kInvalidImage for any other format and for a damaged or incomplete file, or with kOutOfMemory. The
  /// caller may free `bytes` afterwards. Thread-safe. Allocates at most 15 bytes per pixel for a JPEG (4.5
  /// for most) and 24 for a PNG. A JPEG with more than 2048 pixels per byte counts as damaged.
  static Result<Image> Decode(std::span<const uint8_t> bytes, const DecodeOptions& options = {});

  /// Returns the image in the file at `path`, like Decode(). Messages begin with `path`. Fails with kNotFound
  /// when the file cannot be opened.
  static Result<Image> Load(const char* path, const DecodeOptions& options = {});

  /// Returns an image of this size with undefined pixels. Fails with kInvalidImage when a side is not in
  /// 1..65535 or when there are more than kMaxPixels, or with kOutOfMemory.
  static Result<Image> Create(int width, int height);

  /// Returns an image that owns `pixels`: packed RGB in memory from std::malloc. The image frees it.
  static Image Adopt(uint8_t* pixels, int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }

  /// Returns a view of the pixels: kRgb8 without padding between rows. Valid as long as this image.
  ImageView view() const { return {pixels_, width_, height_, ptrdiff_t{3} * width_, PixelFormat::kRgb8}; }
  /// Returns the pixels, for writing. Valid as long as this image.
  uint8_t* pixels() { return pixels_; }

 private:
  uint8_t* pixels_ = nullptr;
  int width_ = 0;
  int height_ = 0;
};

}  // namespace vitrine
