// SPDX-License-Identifier: Apache-2.0
// From a picture to a model's input: resize, then cut the center, as torchvision, timm and Hugging Face do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

#include "runtime/image/resize.h"

namespace vitrine {

/// What size the picture gets before its center is cut out.
enum class ResizeMode : uint8_t {
  kNone = 0,  ///< that of the input
  /// the shorter side becomes resize_height; the longer keeps the ratio, cut to a whole number. With
  /// another resize_width: the smallest picture that covers resize_height x resize_width, rounded
  /// (timm's ResizeKeepRatio).
  kShortestSide = 1,
  kSquash = 2,  ///< resize_height x resize_width, whatever the ratio
};

/// Which pixel a crop begins at when what is left over is odd.
enum class CropRounding : uint8_t {
  kHalfToEven = 0,  ///< torchvision and timm: Python's round()
  kFloor = 1,       ///< Hugging Face image processors
};

/// A model's preprocessing, as its file says it.
struct Preprocess {
  int height = 224;  ///< of the input, pixels
  int width = 224;
  int channels = 3;  ///< 3: RGB; 1: gray
  ResizeMode resize = ResizeMode::kShortestSide;
  int resize_height = 256;
  int resize_width = 0;  ///< kSquash; kShortestSide where it differs from resize_height
  Interpolation interpolation = Interpolation::kBicubic;
  CropRounding crop_rounding = CropRounding::kHalfToEven;
};

/// Where a picture's pixels land in the input.
///
///     resized picture             input
///     +-----------------+         +---------+
///     |    +-------+    |         |  black  |   black where the picture, resized, is smaller than the input
///     |    | kept  |    |   ──>   |+-------+|
///     |    +-------+    |         ||       ||   whose first pixel is (left, top)
///     +-----------------+         +---------+
struct Placement {
  int resized_width = 0;
  int resized_height = 0;
  Rect kept;  ///< within the resized picture
  int left = 0;
  int top = 0;
};

/// Returns where a picture of that size lands. Pure. Sizes must be positive, and `preprocess` one that
/// Preprocessor::Create() takes.
Placement Place(const Preprocess& preprocess, int source_width, int source_height);

/// The part of a picture of that size that the whole input is, border included.
Region RegionSeen(const Preprocess& preprocess, int source_width, int source_height);

/// Turns pictures into inputs, one after the other. Keeps the weights and the scratch memory of the last
/// picture's size, so that frames of one size, as a camera's are, allocate nothing after the first. One
/// thread at a time. Move only.
class Preprocessor {
 public:
  /// Fails with kInvalidArgument when a side is not in 1..16384, channels are not 1 or 3, or an enumeration
  /// is none of its values.
  static Result<Preprocessor> Create(const Preprocess& preprocess);

  /// Makes ready for pictures of that size, so that Run() need not; `is_yuv`: in one of the YUV formats.
  /// Fails with kInvalidArgument when a side is not in 1..65535, with kOutOfMemory.
  Status Prepare(int source_width, int source_height, bool is_yuv = false);

  /// Writes the input to `out`: output_bytes() bytes, [height, width, channels]. Fails as Prepare(), and with
  /// kInvalidArgument when the view is not right. Allocates only when size or kind of format differ from the
  /// last picture's and need more memory than any before.
  Status Run(const ImageView& image, uint8_t* out);
  /// The same for a picture of width x height pixels that is read row by row.
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
