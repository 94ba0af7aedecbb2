// SPDX-License-Identifier: Apache-2.0
// What is said of a frame: a line for people or for programs.
#pragma once

#include <string>
#include <vector>

#include "platforms/linux/camera/pipeline.h"

namespace vitrine {

/// Writes decisions to stdout, a whole line at a time. Allocates in its construction only. Lines that do not
/// fit on a full disk are left out, which is said once; throws Failure when nobody reads any more.
class DecisionWriter {
 public:
  /// Classes less probable than `threshold` are not named.
  DecisionWriter(const Model& model, size_t class_count, float threshold, bool json);

  /// The class that the frame shows, or -1.
  int Write(const Decision& decision);

 private:
  void FormatJson(const Decision& decision, std::span<const Guess> top, int index);
  void FormatText(const Decision& decision, const Guess& best, int index);
  void Append(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void WriteLine();

  std::vector<std::string> labels_, json_labels_;
  float threshold_;
  bool json_;
  std::vector<char> line_;
  size_t length_ = 0;     // of the line, bytes
  bool is_torn_ = false;  // stdout ends within a line
  bool is_full_ = false;  // the last line did not fit on the disk
  FrameClock::time_point start_ = FrameClock::now(), written_ = {};
  int shown_ = -2;  // the class that was written last
};

}  // namespace vitrine
