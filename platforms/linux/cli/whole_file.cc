// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/whole_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

bool Write(std::string_view bytes, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && written;
}

}  // namespace

void CheckOutput(const std::string& output, std::initializer_list<std::string_view> inputs) {
  for (const std::string_view input : inputs) {
    std::error_code error;
    if (std::filesystem::equivalent(output, input, error))
      throw Failure(output + ": this is an input file; choose another output name");
  }
}

void WriteWholeFile(std::string_view bytes, const std::string& path) {
  char resolved[PATH_MAX];
  const std::string target =
      realpath(path.c_str(), resolved) != nullptr ? resolved : path;  // where a link leads
  struct stat info;
  const bool is_device = stat(target.c_str(), &info) == 0 && !S_ISREG(info.st_mode);  // or a pipe
  const std::string part = is_device ? target : target + ".part";
  if (Write(bytes, part) && (is_device || std::rename(part.c_str(), target.c_str()) == 0)) return;
  const int reason = errno;
  if (!is_device) std::remove(part.c_str());
  throw Failure(path + ": cannot be written: " + std::strerror(reason));
}

}  // namespace vitrine
