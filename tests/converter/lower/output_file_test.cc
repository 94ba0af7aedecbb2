// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/output_file.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <csignal>
#include <fstream>
#include <string>

#include "converter/error.h"
#include "tests/converter/checkpoint/files.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

size_t FileCount(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

size_t OpenFiles() { return FileCount("/proc/self/fd"); }

const std::string kWeights(64, 'w'), kMetadata(64, 'm'), kOther(64, 'o');

TEST_CASE("The file appears complete under its name") {
  const checkpoint::ScratchFolder folder;
  const fs::path target = folder.path() / "model.vit";
  OutputFile file(target);
  file.Append(BytesOf(kWeights));
  file.Assemble(BytesOf(kMetadata));
  CHECK(checkpoint::ReadBytes(file.path()) == kMetadata + kWeights);
  file.ReplaceMetadata(BytesOf(kOther));
  CHECK_FALSE(fs::exists(target));
  file.Commit();
  CHECK(checkpoint::ReadBytes(target) == kOther + kWeights);
  CHECK(FileCount(folder.path()) == 1);
}

TEST_CASE("A file that is not committed leaves the folder as it was") {
  const checkpoint::ScratchFolder folder;
  const fs::path target = folder.path() / "model.vit";
  std::ofstream(target) << "an older model";
  const size_t open_files = OpenFiles();
  {
    OutputFile file(target);
    file.Append(BytesOf(kWeights));
    file.Assemble(BytesOf(kMetadata));
  }
  CHECK(checkpoint::ReadBytes(target) == "an older model");
  CHECK(FileCount(folder.path()) == 1);
  CHECK(OpenFiles() == open_files);
}

TEST_CASE("The target is replaced") {
  const checkpoint::ScratchFolder folder;
  const fs::path target = folder.path() / "model.vit";
  std::ofstream(target) << "an older model";
  OutputFile file(target);
  file.Assemble(BytesOf(kMetadata));
  file.Commit();
  CHECK(checkpoint::ReadBytes(target) == kMetadata);
}

TEST_CASE("Two files can be written at the same time") {
  const checkpoint::ScratchFolder folder;
  OutputFile first(folder.path() / "first.vit"), second(folder.path() / "second.vit");
  first.Append(BytesOf(kWeights));
  first.Assemble(BytesOf(kMetadata));
  second.Assemble(BytesOf(kOther));
  first.Commit();
  second.Commit();
  CHECK(checkpoint::ReadBytes(folder.path() / "first.vit") == kMetadata + kWeights);
  CHECK(checkpoint::ReadBytes(folder.path() / "second.vit") == kOther);
}

TEST_CASE("A folder that is missing is refused at once, without a leak") {
  const checkpoint::ScratchFolder folder;
  const size_t open_files = OpenFiles();
  CHECK_THROWS_WITH(OutputFile(folder.path() / "missing" / "model.vit"), ContainsSubstring("cannot write"));
  CHECK_THROWS_WITH(OutputFile(folder.path()), ContainsSubstring("is a folder"));
  CHECK(OpenFiles() == open_files);
}

TEST_CASE("Signal handlers stay as they are") {
  const checkpoint::ScratchFolder folder;
  struct sigaction before = {}, after = {};
  sigaction(SIGTERM, nullptr, &before);
  OutputFile file(folder.path() / "model.vit");
  sigaction(SIGTERM, nullptr, &after);
  CHECK(before.sa_handler == after.sa_handler);
}

}  // namespace
}  // namespace vitrine
