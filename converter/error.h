// SPDX-License-Identifier: Apache-2.0
// How the converter fails: every stage throws Error, whose text is one line for people.
#pragma once

#include <span>
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

namespace vitrine {

/// One clear line: what was expected, what was found, and where. Control characters become '?', since the line
/// may quote a name from a hostile file. A line of more than 400 bytes is cut.
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

/// The options contradict each other or the model. The command exits as it does for a wrong flag.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Returns all parts as one text.
template <typename... Parts>
std::string LineOf(const Parts&... parts) {
  std::ostringstream line;
  (line << ... << parts);
  return line.str();
}

/// Throws a UsageError whose line consists of all parts.
template <typename... Parts>
[[noreturn]] void FailUsage(const Parts&... parts) {
  throw UsageError(LineOf(parts...));
}

/// Throws an Error whose line consists of all parts.
template <typename... Parts>
[[noreturn]] void Fail(const Parts&... parts) {
  throw Error(LineOf(parts...));
}

/// Throws an Error that names `name` and the index of the first value that is NaN or infinite, if there is one.
inline void CheckFinite(const std::string& name, std::span<const float> values) {
  // The sum of v * 0 is zero unless a value is not finite. This loop vectorizes.
  float poison = 0;
  for (const float v : values) poison += v * 0.0f;
  if (poison == 0) return;
  const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  Fail(name, ": value ", bad - values.begin(), " of ", values.size(), " is ", *bad,
       ", expected a finite number");
}

}  // namespace vitrine
