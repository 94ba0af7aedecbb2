// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/image_config.h"

namespace vitrine {

Preprocess PreprocessOf(const VitConfig& config, const ImageConfig& image) {
  Preprocess p;
  p.height = config.image_height;
  p.width = config.image_width;
  p.channels = config.channels;
  switch (image.resize) {
    case ImageConfig::Resize::kNone:
      p.resize = ResizeMode::kNone;
      break;
    case ImageConfig::Resize::kShortestSide:
      p.resize = ResizeMode::kShortestSide;
      break;
    case ImageConfig::Resize::kSquash:
      p.resize = ResizeMode::kSquash;
      break;
  }
  p.resize_height = image.resize_height;
  p.resize_width = image.resize_width;
  p.interpolation = static_cast<Interpolation>(image.interpolation);  // both are Pillow's numbers
  p.crop_rounding = image.crop_floor ? CropRounding::kFloor : CropRounding::kHalfToEven;
  return p;
}

std::unique_ptr<schema::ImageInputT> ImageInputOf(const VitConfig& config, const ImageConfig& image) {
  const Preprocess p = PreprocessOf(config, image);
  auto input = std::make_unique<schema::ImageInputT>();
  input->height = static_cast<uint32_t>(p.height);
  input->width = static_cast<uint32_t>(p.width);
  input->channels = static_cast<uint32_t>(p.channels);
  input->resize = static_cast<schema::ResizeMode>(p.resize);
  input->resize_height = static_cast<uint32_t>(p.resize_height);
  input->resize_width = static_cast<uint32_t>(p.resize_width);
  input->interpolation = static_cast<schema::Interpolation>(p.interpolation);
  input->crop_rounding = static_cast<schema::CropRounding>(p.crop_rounding);
  input->mean = image.mean;
  input->deviation = image.deviation;
  return input;
}

}  // namespace vitrine
