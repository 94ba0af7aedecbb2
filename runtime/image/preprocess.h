// SPDX-License-Identifier: Apache-2.0
// From a picture to a model's input: resize, then crop the center, as torchvision, timm and Hugging Face do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

#include "runtime/image/resize.h"

namespace vitrine {

/// The size of the picture before its center is cropped.
enum class ResizeMode : uint8_t {
  kNone = 0,  ///< the size it has
  /// The shorter side becomes resize_height; the longer side keeps the ratio, rounded down. If resize_width differs: the
  /// smallest picture that covers resize_height x resize_width, rounded (timm's ResizeKeepRatio).
  kShortestSide = 1,
  kSquash = 2,  ///< resize_height x resize_width; the ratio may change
};

/// The first pixel of a crop when an odd number of pixels is cut off.
enum class CropRounding : uint8_t {
  kHalfToEven = 0,  ///< torchvision and timm: Python's round()
  kFloor = 1,       ///< Hugging Face image processors
};

/// The preprocessing of a model, as its file defines it.
struct Preprocess {
  int height = 224;  ///< of the input, pixels
  int width = 224;
  int channels = 3;  ///< 3: RGB; 1: gray
  ResizeMode resize = ResizeMode::kShortestSide;
  int resize_height = 256;
  int resize_width = 0;  ///< for kSquash; for kShortestSide if it differs from resize_height
  Interpolation interpolation = Interpolation::kBicubic;
  CropRounding crop_rounding = CropRounding::kHalfToEven;
};

/// Where the pixels of a picture are placed in the input.
///
///     resized picture             input
///     +-----------------+         +---------+
///     |    +-------+    |         |  black  |   black where the resized picture is smaller than the input
///     |    | kept  |    |   ──>   |+-------+|
///     |    +-------+    |         ||       ||   the first pixel is at (left, top)
///     +-----------------+         +---------+
struct Placement {
  int resized_width = 0;
  int resized_height = 0;
  Crop kept;  ///< within the resized picture
  int left = 0;
  int top = 0;
};

/// Returns the placement of a picture of that size. Sizes must be positive, and Preprocessor::Create() must accept
/// `preprocess`.
Placement Place(const Preprocess& preprocess, int source_width, int source_height);

/// Returns the part of a picture of that size that the input shows, including a border.
Region RegionSeen(const Preprocess& preprocess, int source_width, int source_height);

/// Turns pictures into inputs. Keeps the weights and scratch memory of the last size, so that frames of one size allocate
/// nothing after the first. Use from one thread at a time. Move only.
class Preprocessor {
 public:
  /// Fails with kInvalidArgument when a side is outside 1..16384, channels are not 1 or 3, or an enumeration has an unknown
  /// value.
  static Result<Preprocessor> Create(const Preprocess& preprocess);

  /// Prepares for pictures of that size, so that the next Run() is fast. `is_yuv`: for YUV formats. Fails with
  /// kInvalidArgument when a side is outside 1..65535, with kOutOfMemory.
  Status Prepare(int source_width, int source_height, bool is_yuv = false);

  /// Writes the input to `out`: output_bytes() bytes, [height, width, channels]. Fails like Prepare(), and with
  /// kInvalidArgument when the view is invalid. Allocates only when the size or the kind of format changes and needs more
  /// memory than any before.
  Status Run(const ImageView& image, uint8_t* out);
  /// Does the same for a picture of width x height pixels that is read row by row.
  Status Run(const RowReader& image, int width, int height, uint8_t* out);

  const Preprocess& preprocess() const { return preprocess_; }
  size_t output_bytes() const {
    return static_cast<size_t>(preprocess_.height) * static_cast<size_t>(preprocess_.width) *
           static_cast<size_t>(preprocess_.channels);
  }

 private:
  explicit Preprocessor(const Preprocess& preprocess) : preprocess_(preprocess) {}
  template <typename Picture>
  void RunPlan(const Picture& picture, uint8_t* out);

  Preprocess preprocess_;
  Placement placement_;
  ResizePlan plan_;
};

}  // namespace vitrine
