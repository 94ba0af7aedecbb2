// SPDX-License-Identifier: Apache-2.0
// Images: what a caller hands over (ImageView), and what is read from a photo's file (Image).
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vitrine/status.hpp>

namespace vitrine {

/// How pixels lie in memory. Eight bits a sample, rows top to bottom. The YUV formats are those of cameras
/// and video: colour at half the resolution.
enum class PixelFormat : uint8_t {
  kRgb8,   ///< 3 bytes: red, green, blue
  kBgr8,   ///< 3 bytes: blue, green, red
  kRgba8,  ///< 4 bytes; alpha is dropped, nothing is composited
  kGray8,  ///< 1 byte
  kYuyv8,  ///< 4 bytes for two pixels: Y, U, Y, V; an even width
  kNv12,   ///< a plane of Y; half as high, and half as wide, one of U and V by turns: chroma[0]
  kI420,   ///< a plane of Y; half as high and half as wide, one of U and one of V: chroma[0], chroma[1]
  kNv21,   ///< as kNv12, with V before U
};

/// Which colours Y, U and V stand for.
enum class YuvMatrix : uint8_t { kBt601, kBt709 };

/// Which values of Y, U and V are black, white and full colour.
enum class YuvRange : uint8_t {
  kLimited,  ///< Y 16 to 235, U and V 16 to 240: cameras and video
  kFull,     ///< 0 to 255: JPEG
};

/// Pixels that somebody else owns. The pixels must outlive every call that the view is passed to.
///
///     pixels ──> |R G B R G B ... R G B|padding|    row 0
///                |R G B R G B ... R G B|padding|    row 1
///                |<--- width pixels -->|       |
///                |<------- stride_bytes ------>|
///
/// Planar formats have `pixels` for Y and further planes in `chroma`, of (width + 1) / 2 by
/// (height + 1) / 2 samples.
struct ImageView {
  const uint8_t* pixels = nullptr;
  int width = 0;               ///< pixels
  int height = 0;              ///< pixels
  ptrdiff_t stride_bytes = 0;  ///< from one row to the next; negative when rows are stored bottom up
  PixelFormat format = PixelFormat::kRgb8;
  const uint8_t* chroma[2] = {nullptr, nullptr};  ///< kNv12, kI420 and kNv21
  ptrdiff_t chroma_stride_bytes = 0;              ///< from one row of them to the next
  YuvMatrix matrix = YuvMatrix::kBt601;           ///< of the YUV formats
  YuvRange range = YuvRange::kLimited;
};

/// A rectangle in a picture, in fractions of its sides from the top left.
struct Region {
  double x = 0, y = 0, width = 1, height = 1;
};

/// Pixels [left, left + width) x [top, top + height) of a picture.
struct Crop {
  int left = 0, top = 0, width = 0, height = 0;
};

/// Returns a part of a picture: the same pixels, seen from another corner. Fails with kInvalidArgument when
/// it does not lie within the picture, or cuts a YUV format's colour: left must be even there, the top too
/// where colour has planes, and a YUYV's width. Pure.
VITRINE_API Result<ImageView> CropOf(const ImageView& image, const Crop& crop);

/// How a file is read.
struct DecodeOptions {
  /// Turn the picture upright as its EXIF orientation says. Training pipelines that open files with Pillow
  /// do not, so comparing with one of them may need this off.
  bool apply_orientation = true;
};

/// An RGB picture read from a file, and its memory. Move only; reading from many threads is safe.
///
/// JPEG decodes to the same bytes as libjpeg-turbo with its default settings (and so as Pillow).
class VITRINE_API Image {
 public:
  /// The largest picture that is read: 2^28 pixels, which is 805 MB as RGB.
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

  /// Returns the picture in `bytes`, a whole JPEG, PNG, BMP or PNM file, as RGB.
  ///
  /// Gray becomes RGB, palettes are looked up, alpha is dropped without compositing, CMYK is converted
  /// without a colour profile, and 16-bit samples keep their upper eight bits. Embedded colour profiles are
  /// ignored. Fails with kInvalidImage on anything else and on a file that is damaged or cut short, with
  /// kOutOfMemory. `bytes` may be freed afterwards. Thread-safe. Allocates; the peak is 4.5 bytes a pixel for
  /// a JPEG, 7.5 for a progressive one and 8 for a PNG with alpha.
  static Result<Image> Decode(std::span<const uint8_t> bytes, const DecodeOptions& options = {});

  /// As Decode(), from a file. Messages begin with `path`. Fails with kNotFound when it cannot be opened.
  static Result<Image> Load(const char* path, const DecodeOptions& options = {});

  /// Returns a picture of that size with undefined pixels. Fails with kInvalidImage when a side is not in
  /// 1..65535 or there are more than kMaxPixels, with kOutOfMemory.
  static Result<Image> Create(int width, int height);

  /// Returns a picture that takes over `pixels`: packed RGB in memory from std::malloc, which it will free.
  static Image Adopt(uint8_t* pixels, int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }

  /// The pixels, kRgb8 without padding between rows; valid while this image is.
  ImageView view() const { return {pixels_, width_, height_, ptrdiff_t{3} * width_, PixelFormat::kRgb8}; }
  uint8_t* pixels() { return pixels_; }

 private:
  uint8_t* pixels_ = nullptr;
  int width_ = 0;
  int height_ = 0;
};

}  // namespace vitrine
