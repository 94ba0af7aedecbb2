// SPDX-License-Identifier: Apache-2.0
// --on CLASS --exec CMD: a command that runs when a class comes into view.
#pragma once

#include <sys/types.h>

#include <string>

namespace vitrine {

/// Starts a shell command, never while the one before still runs. Its stdin is empty and its stdout is our
/// stderr.
class Trigger {
 public:
  Trigger(int index, std::string command) : index_(index), command_(std::move(command)) {}

  /// Called with each decision's class, -1 for none. Starts the command when the class is `index` and was
  /// another before, or when it still is and the command was running then.
  void See(int index);

 private:
  void Start();

  int index_;
  std::string command_;
  bool is_owed_ = false, was_seen_ = false;
  pid_t child_ = 0;
};

}  // namespace vitrine
