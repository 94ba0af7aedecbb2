// SPDX-License-Identifier: Apache-2.0
// Errors for files of other types that users pass by mistake.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using namespace std::string_literals;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("The error for a file that is not a checkpoint says what the file is") {
  const std::pair<std::string, const char*> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
       "x.pth is a Git LFS pointer, not the weights: run git lfs pull"},
      {"\n <!DOCTYPE html><html>", "x.pth is a web page, not the weights"},
      {"<HTML><body>Not found", "x.pth is a web page, not the weights"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied", "x.pth is an XML document"},
      {"{\"model_type\": \"vit\"}", "x.pth is a JSON file, not the weights"},
      {"\x20\0\0\0VITR...."s, "x.pth is already a .vit model"},
      {"\x1c\0\0\0TFL3...."s, "x.pth is a TensorFlow Lite model"},
      {"\x08\x08\x12\x07pytorch"s, "x.pth is an ONNX file without a graph"},
      {"\x89HDF\r\n\x1a\n"s, "x.pth is an HDF5 file (Keras)"},
      {"\x89PNG\r\n\x1a\n"s, "x.pth is an image, not a checkpoint"},
      {"\x1f\x8b\x08\0"s, "x.pth is compressed with gzip: unpack it first"},
      {std::string(257, 'x') + "ustar", "x.pth is a tar archive: unpack it first"},
      {"\x93NUMPY\x01\0"s, "x.pth is a single NumPy array"},
      {"PK\x05\x06"s + std::string(18, '\0'), "x.pth is an empty zip archive"},
      {"PK\x03\x04 and then nothing",
       "x.pth is cut short or damaged: the zip directory at its end is missing"},
      {"\x80\x02}q\0."s, "x.pth is a Python pickle that torch.save did not write"},
      {"banana\nbanana", "x.pth is not a checkpoint: expected safetensors, PyTorch"},
      {"", "x.pth: is empty"},
  };
  const ScratchFolder folder;
  for (const auto& [content, message] : cases) {
    CHECK_THAT(OpenError(folder.Write("x.pth", content)), ContainsSubstring(message));
  }
}

TEST_CASE("A path without a checkpoint is refused with the reason") {
  const ScratchFolder folder;
  CHECK_THAT(OpenError(folder.path() / "nothing.pth"), ContainsSubstring("nothing.pth: No such file"));
  CHECK_THAT(OpenError("/dev/null"), ContainsSubstring("is not a file"));
  CHECK_THAT(OpenError(folder.path()),
             ContainsSubstring("is a folder without model.safetensors or pytorch_model.bin"));
  folder.Write("model.pth", "x");
  CHECK_THAT(OpenError(folder.path()), ContainsSubstring("; it holds model.pth: name that file"));
}

}  // namespace
}  // namespace vitrine::checkpoint
