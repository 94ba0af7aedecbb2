// SPDX-License-Identifier: Apache-2.0
// Photos with what is on them: a folder of folders, or a list.
#pragma once

#include <filesystem>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

struct LabelledPhoto {
  std::string path;
  int truth;  ///< class, or -1 where nothing says
};

struct PhotoSet {
  std::vector<LabelledPhoto> photos;  ///< sorted by path, or in the list's order
  std::string remark;  ///< how folders were matched with classes, where that was a guess; or empty

  bool labelled() const { return !photos.empty() && photos.front().truth >= 0; }
};

/// Every .jpg, .jpeg, .png, .bmp and .ppm file below `folder`. The folders directly in it name the classes:
/// by label (upper and lower case, '_', '-' and ' ' alike; one of several names that a label has between
/// commas), by number, or, where none fits, there are as many folders as classes, and the classes have no
/// names or the folders are WordNet's numbers, by their sorted order, as torchvision's ImageFolder has it.
/// Links to folders are followed. Photos that lie directly in `folder`, in no folder of their own, have no
/// truth, nor have the others then. Throws Failure where there is no photo, or a folder names no class.
PhotoSet PhotosIn(const std::filesystem::path& folder, const Model& model, int class_count);

/// A photo a line: its path, relative to the list's folder, then a tab, comma or blank and its class, by
/// label or number, as above; a line without a class has no truth. Throws Failure naming the line.
PhotoSet PhotosOfList(const std::filesystem::path& list, const Model& model, int class_count);

}  // namespace vitrine
