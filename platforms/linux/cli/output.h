// SPDX-License-Identifier: Apache-2.0
// What the commands write: safe text, JSON lines, errors of one line, a progress bar, and whole files.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vitrine {

/// Exit statuses of the commands.
constexpr int kFailure = 1, kWrongUsage = 2;

/// Returns `text` (UTF-8) with '?' in place of control characters, which a terminal would obey.
std::string Printable(std::string_view text);

/// Returns printable text as a table cell of `width` characters: cut, or padded on the right or the left.
std::string Cell(const std::string& text, size_t width, bool pad_left = false);

/// Prints `json` on one line of stdout and flushes it. Bytes that are not UTF-8 become U+FFFD.
void PrintJsonLine(const nlohmann::ordered_json& json);

/// Prints "program: what" as one line on stderr, with control characters replaced.
void PrintError(const char* program, std::string_view what);

/// Returns `exit_code`, or kFailure with a message where stdout could not take everything (a full disk).
int FinishOutput(const char* program, int exit_code);

/// Draws on stderr if that is a terminal. The bar appears after half a second and is erased on destruction.
class Progress {
 public:
  explicit Progress(bool enabled = true) : enabled_(enabled && isatty(STDERR_FILENO)) {}
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows the current step and the fraction in [0, 1] of all that is done.
  void Show(const std::string& what, double fraction) {
    using namespace std::chrono;
    const auto now = steady_clock::now();
    const bool early = now - start_ < milliseconds(500), soon = now - drawn_ < milliseconds(50);
    if (!enabled_ || early || (soon && fraction < 1)) return;
    drawn_ = now;
    constexpr int kWidth = 32;
    const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth);
    const std::string bar = std::string(static_cast<size_t>(filled), '=') +
                            std::string(static_cast<size_t>(kWidth - filled), ' ');
    std::fprintf(stderr, "\r[%s] %3d%%  %-40.40s", bar.c_str(), static_cast<int>(fraction * 100),
                 what.c_str());
    std::fflush(stderr);
    shown_ = true;
  }

  void Clear() {
    if (shown_) std::fprintf(stderr, "\r%*s\r", 81, "");
    shown_ = false;
  }

 private:
  const bool enabled_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), drawn_{};
};

/// Throws Failure when `output` is one of the input files, under this or another name.
void CheckOutput(const std::string& output, std::initializer_list<std::string_view> inputs);

/// Writes `bytes` to a temporary file next to `path` and renames it. Writes straight to devices and pipes, such as
/// /dev/stdout. Throws Failure when writing fails; then no file is left behind.
void WriteWholeFile(std::string_view bytes, const std::string& path);

}  // namespace vitrine
