// SPDX-License-Identifier: Apache-2.0
// An HTTP server for few readers, which nobody can keep busy: a request a connection, ten seconds at most.
#pragma once

#include <httplib.h>

#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace vitrine {

/// Four threads, sixteen connections that wait for one of them; more are closed at once.
class LiveServer : private httplib::Server {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  /// Answers on `listener`, a listening socket that it closes, in threads of its own.
  LiveServer(int listener, Handler handler);
  /// Ends connections, finished or not.
  ~LiveServer() override;

 private:
  class Queue;
  using Clock = std::chrono::steady_clock;

  bool process_and_close_socket(socket_t connection) override;
  void ShutDownOlderThan(Clock::duration age);

  std::mutex mutex_;
  std::map<socket_t, Clock::time_point> connections_;  // since when a thread reads and writes them
  std::thread accepting_;
};

}  // namespace vitrine
