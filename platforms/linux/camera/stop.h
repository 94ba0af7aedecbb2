// SPDX-License-Identifier: Apache-2.0
// How vitrine camera comes to an end when somebody wants it to.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace vitrine {

/// Catches SIGINT and SIGTERM from its construction on, once in a process. Frames that are being computed are
/// finished; but where that takes long, the process ends all the same, within a second of the signal: every
/// line that was written is whole, and nothing else is open for writing.
class Stop {
 public:
  /// Throws Failure when the system gives no descriptor.
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;

  /// What can be read once somebody wants to stop.
  int event() const;
  /// Makes it so.
  static void Request();
  /// Whether it was a signal.
  static bool has_signal();

 private:
  void EndInTime();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread watcher_;
};

}  // namespace vitrine
