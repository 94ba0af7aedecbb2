// SPDX-License-Identifier: Apache-2.0
// Stops vitrine camera on a signal.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace vitrine {

/// Catches SIGINT and SIGTERM; one object per process. The current frame is finished. If that takes too long, the process
/// ends within a second of the signal anyway: every line written so far is whole, and no file is open for writing.
class Stop {
 public:
  /// Throws Failure when the system has no descriptor left.
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;

  /// Returns a descriptor that becomes readable when the program should stop.
  int event() const;
  /// Makes event() readable.
  static void Request();
  /// Returns whether a signal arrived.
  static bool has_signal();

 private:
  void EndInTime();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread watcher_;
};

}  // namespace vitrine
