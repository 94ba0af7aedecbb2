// SPDX-License-Identifier: Apache-2.0
// Photos: which files are photos, which class each shows, and the loop that runs a session on them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// The files that count as photos, for messages: ".jpg, .jpeg, .png, .bmp, .ppm or .pgm".
extern const char* const kPhotoEndings;

/// Returns the sorted photos in `folder`, without those of its folders. Throws Failure where it cannot be read.
std::vector<std::string> PhotosDirectlyIn(const std::filesystem::path& folder);

struct LabelledPhoto {
  std::string path;
  int truth;  ///< class, or -1 where it is unknown
};

struct PhotoSet {
  std::vector<LabelledPhoto> photos;  ///< sorted by path, or in the list's order
  std::string remark;  ///< how folders were matched with classes, where that was a guess; or empty

  bool labelled() const { return !photos.empty() && photos.front().truth >= 0; }
};

/// Returns every photo below `folder`. The folders directly in it name the classes (see Classes::Find). Where no folder
/// names a class, there are as many folders as classes, and the classes have no names or the folders are WordNet
/// numbers, the folders' sorted order gives the class, as in torchvision's ImageFolder. Links to folders are followed.
/// If some photos lie directly in `folder`, no photo has a class. Throws Failure where there is no photo, or where a
/// folder names no class.
PhotoSet PhotosIn(const std::filesystem::path& folder, const Model& model, int class_count);

/// Reads a list with one photo per line: its path, relative to the list's folder, then a tab, comma or blank and its
/// class (see Classes::Find). A line without a class has no truth. Throws Failure naming the line.
PhotoSet PhotosOfList(const std::filesystem::path& list, const Model& model, int class_count);

/// Runs the session on each photo and calls show(path, latency_ms) after it; the latency is of resize and inference, not
/// of reading the file. A photo that cannot be read gives a line on stderr, and *exit_code becomes 1.
void RunOnPhotos(Session& session, const std::vector<std::string>& paths, int* exit_code,
                 const std::function<void(const std::string&, double)>& show);

}  // namespace vitrine
