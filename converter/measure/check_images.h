// SPDX-License-Identifier: Apache-2.0
// The images that a conversion is checked on: the person's photos, or patterns that the converter makes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/vit/vit.h"

namespace vitrine {

/// Model inputs, u8 [height, width, channels].
struct CheckImages {
  std::vector<std::vector<uint8_t>> pixels;
  std::vector<std::string> names;  ///< of their files; empty where they are synthetic
  bool synthetic = false;
  std::vector<std::string> folders;  ///< photos: the name of the folder that each is in
};

/// Returns `count` patterns with the statistics of photos: octaves of smooth colour noise under a few filled
/// shapes. The same configuration and count give the same bytes on every machine.
CheckImages SyntheticImages(const VitConfig& config, int count);

/// Returns up to `most` photos of `folder` and its folders, evenly spread over the sorted names, resized and
/// cropped as the model's input. Throws Error when there is none, or when one cannot be read.
CheckImages PhotosIn(const std::filesystem::path& folder, const VitConfig& config, const ImageConfig& image,
                     int most);

}  // namespace vitrine
