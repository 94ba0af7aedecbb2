// SPDX-License-Identifier: Apache-2.0
// What follows a decision: a line on stdout, for people or programs, and the command of --exec.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "platforms/linux/camera/pipeline.h"

namespace vitrine {

/// Writes decisions to stdout, a whole line at a time. Allocates only in its constructor. Drops lines while the disk is
/// full, and reports that once. Throws Failure when stdout is closed.
class DecisionWriter {
 public:
  /// Reports no class that is less probable than `threshold`.
  DecisionWriter(const Model& model, size_t class_count, float threshold, bool json);

  /// Writes the decision and returns its class, or -1 below the threshold.
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

/// Starts a shell command, but never while the previous one still runs. Its stdin is empty and its stdout is our stderr.
class Trigger {
 public:
  Trigger(int index, std::string command) : index_(index), command_(std::move(command)) {}

  /// Takes the class of each decision, -1 for none. Starts the command when the class changes to `index`, or later if the
  /// previous command was still running then and the class is still `index`.
  void See(int index);

 private:
  void Start();

  int index_;
  std::string command_;
  bool is_owed_ = false, was_seen_ = false;
  pid_t child_ = 0;
};

}  // namespace vitrine
