// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/output.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

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

std::string Printable(std::string_view given) {
  std::string text(given);
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = text[i], next = i + 1 < text.size() ? text[i + 1] : 0;
    if (c < 0x20 || c == 0x7f) text[i] = '?';
    if (c == 0xc2 && next >= 0x80 && next < 0xa0) text.replace(i, 2, "?");  // U+0080 to U+009F
  }
  return text;
}

std::string Cell(const std::string& text, size_t width, bool pad_left) {
  size_t characters = 0, bytes = 0;
  for (; bytes < text.size(); ++bytes) {
    const bool is_first = (static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80;
    if (is_first && characters == width) break;
    characters += is_first;
  }
  std::string cell = text.substr(0, bytes);
  cell.insert(pad_left ? 0 : bytes, width - std::min(characters, width), ' ');
  return cell;
}

void PrintJsonLine(const nlohmann::ordered_json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

void PrintError(const char* program, std::string_view what) {
  std::fprintf(stderr, "%s: %s\n", program, Printable(what).c_str());
}

int FinishOutput(const char* program, int exit_code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return exit_code;
  PrintError(program, "cannot write to standard output");
  return kFailure;
}

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
