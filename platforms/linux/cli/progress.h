// SPDX-License-Identifier: Apache-2.0
// A progress bar on the terminal, for work that takes longer than a second.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

namespace vitrine {

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

}  // namespace vitrine
