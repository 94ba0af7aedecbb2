// SPDX-License-Identifier: Apache-2.0
// The images on which a conversion is measured: the user's photos, or synthetic ones.
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
  std::vector<std::string> names;  ///< of the photos' files; empty for synthetic images
  bool synthetic = false;
  std::vector<std::string> folders;  ///< the name of the folder of each photo; empty for synthetic images
};

/// Returns `count` images with the statistics of photos: octaves of smooth colour noise and a few filled shapes. The same
/// configuration and count give the same bytes on every machine.
CheckImages SyntheticImages(const VitConfig& config, int count);

/// Returns up to `most` photos of `folder` and its subfolders, evenly spread over the sorted names, resized and cropped
/// for the model. Throws Error when there is no photo, when one cannot be read, or when all are of a single colour.
CheckImages PhotosIn(const std::filesystem::path& folder, const VitConfig& config, const ImageConfig& image,
                     int most);

}  // namespace vitrine
