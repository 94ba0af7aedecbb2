// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/base/status.h"
#include "runtime/image/pixels.h"

namespace vitrine {
namespace {

/// So that the longest side that a picture can be resized to, kMaxImageSide times this, fits an int.
constexpr int kMaxInputSide = 16384;

/// One direction of a crop: which run of the resized picture is kept, and where it lands in the input.
struct Cut {
  int begin, count, at;
};

Cut CutCenter(int resized, int wanted, CropRounding rounding) {
  if (resized < wanted) {
    // The odd pixel of black goes after the picture in torchvision, before it at Hugging Face.
    const int spare = wanted - resized;
    return {0, resized, rounding == CropRounding::kFloor ? (spare + 1) / 2 : spare / 2};
  }
  const int spare = resized - wanted, half = spare / 2;
  const bool up = rounding == CropRounding::kHalfToEven && spare % 2 == 1 && half % 2 == 1;
  return {up ? half + 1 : half, wanted, 0};
}

int ScaleSide(int side, int64_t numerator, int denominator) {
  return static_cast<int>(side * numerator / denominator);
}

/// As Python rounds, half to even.
int RoundSide(double side) { return static_cast<int>(std::clamp(std::nearbyint(side), 1.0, 1e9)); }

bool IsInputSide(int side) { return side >= 1 && side <= kMaxInputSide; }

}  // namespace

Placement Place(const Preprocess& preprocess, int source_width, int source_height) {
  Placement place;
  switch (preprocess.resize) {
    case ResizeMode::kNone:
      place.resized_width = preprocess.width;
      place.resized_height = preprocess.height;
      break;
    case ResizeMode::kShortestSide: {
      if (preprocess.resize_width != preprocess.resize_height && preprocess.resize_width > 0) {
        const double ratio = std::min(static_cast<double>(source_width) / preprocess.resize_width,
                                      static_cast<double>(source_height) / preprocess.resize_height);
        place.resized_width = RoundSide(source_width / ratio);
        place.resized_height = RoundSide(source_height / ratio);
        break;
      }
      const int shorter = std::min(source_width, source_height);
      place.resized_width = ScaleSide(preprocess.resize_height, source_width, shorter);
      place.resized_height = ScaleSide(preprocess.resize_height, source_height, shorter);
      break;
    }
    case ResizeMode::kSquash:
      place.resized_width = preprocess.resize_width;
      place.resized_height = preprocess.resize_height;
      break;
  }
  const Cut across = CutCenter(place.resized_width, preprocess.width, preprocess.crop_rounding);
  const Cut down = CutCenter(place.resized_height, preprocess.height, preprocess.crop_rounding);
  place.kept = {across.begin, down.begin, across.count, down.count};
  place.left = across.at;
  place.top = down.at;
  return place;
}

Region RegionSeen(const Preprocess& preprocess, int source_width, int source_height) {
  const Placement place = Place(preprocess, source_width, source_height);
  const double width = place.resized_width, height = place.resized_height;
  return {(place.kept.left - place.left) / width, (place.kept.top - place.top) / height,
          preprocess.width / width, preprocess.height / height};
}

Result<Preprocessor> Preprocessor::Create(const Preprocess& preprocess) {
  if (!IsInputSide(preprocess.height) || !IsInputSide(preprocess.width)) {
    return Status::Error(Code::kInvalidArgument, "input is %d x %d, expected sides of 1 to %d pixels",
                         preprocess.width, preprocess.height, kMaxInputSide);
  }
  const bool uses_height = preprocess.resize != ResizeMode::kNone;
  const bool uses_width =
      preprocess.resize == ResizeMode::kSquash || (uses_height && preprocess.resize_width != 0);
  if ((uses_height && !IsInputSide(preprocess.resize_height)) ||
      (uses_width && !IsInputSide(preprocess.resize_width))) {
    return Status::Error(Code::kInvalidArgument,
                         "pictures are resized to %d x %d, expected sides of 1 to %d pixels",
                         preprocess.resize_width, preprocess.resize_height, kMaxInputSide);
  }
  if (preprocess.channels != 1 && preprocess.channels != 3) {
    return Status::Error(Code::kInvalidArgument, "input has %d channels, expected 3 (RGB) or 1 (gray)",
                         preprocess.channels);
  }
  if (preprocess.resize > ResizeMode::kSquash || preprocess.crop_rounding > CropRounding::kFloor ||
      !IsInterpolation(static_cast<int>(preprocess.interpolation))) {
    return Status::Error(Code::kInvalidArgument,
                         "resize mode %d, crop rounding %d or interpolation %d is not known",
                         static_cast<int>(preprocess.resize), static_cast<int>(preprocess.crop_rounding),
                         static_cast<int>(preprocess.interpolation));
  }
  return Preprocessor(preprocess);
}

Status Preprocessor::Prepare(int source_width, int source_height, bool is_yuv) {
  if (source_width < 1 || source_height < 1 || source_width > kMaxImageSide ||
      source_height > kMaxImageSide) {
    return Status::Error(Code::kInvalidArgument, "picture is %d x %d, expected sides of 1 to %d pixels",
                         source_width, source_height, kMaxImageSide);
  }
  placement_ = Place(preprocess_, source_width, source_height);
  return plan_.Prepare({.source_width = source_width,
                        .source_height = source_height,
                        .target_width = placement_.resized_width,
                        .target_height = placement_.resized_height,
                        .kept = placement_.kept,
                        .channels = preprocess_.channels,
                        .interpolation = preprocess_.interpolation,
                        .is_yuv = is_yuv});
}

template <typename Picture>
void Preprocessor::RunPlan(const Picture& picture, uint8_t* out) {
  const ptrdiff_t row_bytes = ptrdiff_t{preprocess_.width} * preprocess_.channels;
  if (placement_.kept.width < preprocess_.width || placement_.kept.height < preprocess_.height) {
    std::memset(out, 0, output_bytes());
  }
  plan_.Run(picture, out + placement_.top * row_bytes + ptrdiff_t{placement_.left} * preprocess_.channels,
            row_bytes);
}

Status Preprocessor::Run(const ImageView& image, uint8_t* out) {
  VITRINE_RETURN_IF_ERROR(CheckView(image));
  VITRINE_RETURN_IF_ERROR(Prepare(image.width, image.height, IsYuv(image.format)));
  RunPlan(image, out);
  return {};
}

Status Preprocessor::Run(const RowReader& image, int width, int height, uint8_t* out) {
  VITRINE_RETURN_IF_ERROR(Prepare(width, height));
  RunPlan(image, out);
  return {};
}

}  // namespace vitrine
