// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/whole_file.h"

#include <cstdio>
#include <filesystem>

#include "platforms/linux/failure.h"

namespace vitrine {

void CheckOutput(const std::string& output, std::initializer_list<std::string_view> inputs) {
  for (const std::string_view input : inputs) {
    std::error_code error;
    if (std::filesystem::equivalent(output, input, error))
      throw Failure(output + ": is read here, and would be overwritten");
  }
}

void WriteWholeFile(std::string_view bytes, const std::string& path) {
  const std::string part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) throw Failure(path + ": cannot be written");
  bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  written = std::fclose(file) == 0 && written;
  if (written && std::rename(part.c_str(), path.c_str()) == 0) return;
  std::remove(part.c_str());
  throw Failure(path + ": cannot be written");
}

}  // namespace vitrine
