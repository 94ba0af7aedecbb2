// SPDX-License-Identifier: Apache-2.0
// Error: how the converter fails. Thrown anywhere below main, caught there and printed as one line.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace vitrine {

/// One clear line: what was expected, what was found, where. Control characters, which a hostile file may put
/// into a name that the line quotes, become '?', and a line over 400 bytes is cut.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string line) : std::runtime_error(OneLine(std::move(line))) {}

 private:
  static std::string OneLine(std::string line) {
    constexpr size_t kLongest = 400;
    if (line.size() > kLongest) line = line.substr(0, kLongest - 3) + "...";
    for (char& c : line) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return line;
  }
};

/// What a person has asked for cannot be: the command exits as it does for a wrong flag.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Every part, printed one after the other.
template <typename... Parts>
std::string LineOf(const Parts&... parts) {
  std::ostringstream line;
  (line << ... << parts);
  return line.str();
}

/// Throws a UsageError whose line is every part.
template <typename... Parts>
[[noreturn]] void FailUsage(const Parts&... parts) {
  throw UsageError(LineOf(parts...));
}

/// Throws an Error whose line is every part, printed one after the other.
template <typename... Parts>
[[noreturn]] void Fail(const Parts&... parts) {
  throw Error(LineOf(parts...));
}

}  // namespace vitrine
