// SPDX-License-Identifier: Apache-2.0
// Files that users give by mistake, recognized by their first bytes.
#include <algorithm>
#include <cctype>
#include <string_view>

#include "converter/checkpoint/readers.h"

namespace vitrine::checkpoint {
namespace {

using namespace std::string_view_literals;

struct OtherFile {
  size_t offset;
  std::string_view magic;
  const char* what;
};

constexpr OtherFile kOtherFiles[] = {
    {0, "version https://git-lfs"sv, "a Git LFS pointer, not the weights: run git lfs pull"},
    {4, "VITR"sv, "already a .vit model: use it with vitrine directly"},
    {4, "TFL3"sv, "a TensorFlow Lite model: convert the checkpoint that it was made from"},
    {0, "\x89HDF\r\n"sv, "an HDF5 file (Keras), which is not supported"},
    {0, "GGUF"sv, "a GGUF file, which is not supported"},
    {0, "\x93NUMPY"sv, "a single NumPy array: expected an .npz file with all arrays"},
    {0, "\x1f\x8b"sv, "compressed with gzip: unpack it first"},
    {0, "BZh"sv, "compressed with bzip2: unpack it first"},
    {1, "7zXZ"sv, "compressed with xz: unpack it first"},
    {0, "\x28\xb5\x2f\xfd"sv, "compressed with zstd: unpack it first"},
    {257, "ustar"sv, "a tar archive: unpack it first"},
    {0, "\x89PNG"sv, "an image, not a checkpoint"},
    {0, "\xff\xd8\xff"sv, "an image, not a checkpoint"},
    {1, "ELF"sv, "a program, not a checkpoint"},
};

// A text file is recognized by its first word, in upper or lower case, after any white space.
constexpr OtherFile kTexts[] = {
    {0, "<!doctype"sv, "a web page, not the weights: the download failed"},
    {0, "<html"sv, "a web page, not the weights: the download failed"},
    {0, "<?xml"sv, "an XML document, not the weights: the download failed"},
    {0, "{"sv, "a JSON file, not the weights"},
};

}  // namespace

std::string NameOtherFile(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const OtherFile& other : kOtherFiles) {
    if (text.size() >= other.offset && text.substr(other.offset).starts_with(other.magic)) {
      return other.what;
    }
  }
  std::string start(text.substr(0, 512));
  start.erase(0, std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const OtherFile& other : kTexts) {
    if (start.starts_with(other.magic)) return other.what;
  }
  return "";
}

}  // namespace vitrine::checkpoint
