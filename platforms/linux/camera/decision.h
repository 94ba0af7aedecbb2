// SPDX-License-Identifier: Apache-2.0
// What is said of a frame: a line for people or for programs.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "platforms/linux/camera/pipeline.h"

namespace vitrine {

/// Writes decisions to stdout. Allocates in its construction only. Throws Failure when nobody reads any more,
/// or the disk is full.
class DecisionWriter {
 public:
  /// Classes less probable than `threshold` are not named.
  DecisionWriter(const Model& model, size_t class_count, float threshold, bool json);

  /// The class that the frame shows, or -1.
  int Write(const Decision& decision);

 private:
  void WriteJson(const Decision& decision, std::span<const Guess> top, int index);
  void WriteText(const Decision& decision, const Guess& best, int index);

  std::vector<std::string> labels_, json_labels_;
  float threshold_;
  bool json_;
  FrameClock::time_point start_ = FrameClock::now(), written_ = {};
  int shown_ = -2;  // the class that was written last
};

}  // namespace vitrine
