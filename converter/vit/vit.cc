// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/vit.h"

#include <sstream>

namespace vitrine {

std::string Describe(const VitConfig& config, const ImageConfig& image) {
  static constexpr const char* kInterpolations[] = {"nearest", "lanczos", "bilinear",
                                                    "bicubic", "box",     "hamming"};
  std::ostringstream text;
  switch (image.resize) {
    case ImageConfig::Resize::kNone:
      text << "no resize";
      break;
    case ImageConfig::Resize::kShortestSide:
      if (image.resize_height == image.resize_width)
        text << "shortest side " << image.resize_height;
      else
        text << "resize to cover " << image.resize_height << "x" << image.resize_width;
      break;
    case ImageConfig::Resize::kSquash:
      text << "squash to " << image.resize_height << "x" << image.resize_width;
      break;
  }
  text << " " << kInterpolations[image.interpolation];
  text << ", crop " << config.image_height << "x" << config.image_width << ", mean";
  for (const float value : image.mean) text << " " << value;
  text << ", deviation";
  for (const float value : image.deviation) text << " " << value;
  return text.str();
}

}  // namespace vitrine
