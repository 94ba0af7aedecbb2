// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/whole_file.h"

#include <cstdio>
#include <filesystem>

#include "platforms/linux/failure.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

bool Write(std::string_view bytes, const fs::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && written;
}

}  // namespace

void CheckOutput(const std::string& output, std::initializer_list<std::string_view> inputs) {
  for (const std::string_view input : inputs) {
    std::error_code error;
    if (fs::equivalent(output, input, error))
      throw Failure(output + ": is read here, and would be overwritten");
  }
}

void WriteWholeFile(std::string_view bytes, const std::string& path) {
  std::error_code error;
  fs::path target = fs::is_symlink(path, error) ? fs::canonical(path, error) : fs::path(path);
  if (error) target = path;
  const fs::file_status status = fs::status(target, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {  // a terminal, say, or /dev/null
    if (!Write(bytes, target)) throw Failure(path + ": cannot be written");
    return;
  }
  const fs::path part = target.string() + ".part";
  if (Write(bytes, part) && std::rename(part.c_str(), target.c_str()) == 0) return;
  fs::remove(part, error);
  throw Failure(path + ": cannot be written");
}

}  // namespace vitrine
