// SPDX-License-Identifier: Apache-2.0
// --on CLASS --exec CMD: runs a command when a class comes into view.
#pragma once

#include <sys/types.h>

#include <string>

namespace vitrine {

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
