// SPDX-License-Identifier: Apache-2.0
// An HTTP server for a few readers. It answers one request per connection and closes every connection after ten seconds.
#pragma once

#include <httplib.h>

#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace vitrine {

/// Has four threads and a queue of sixteen connections; further connections are closed at once.
class LiveServer : private httplib::Server {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  /// Answers requests on `listener`, a listening socket, in its own threads. Closes the socket at the end.
  LiveServer(int listener, Handler handler);
  /// Closes all connections, finished or not.
  ~LiveServer() override;

 private:
  class Queue;
  using Clock = std::chrono::steady_clock;

  bool process_and_close_socket(socket_t connection) override;
  void ShutDownOlderThan(Clock::duration age);

  std::mutex mutex_;
  std::map<socket_t, Clock::time_point> connections_;  // when a thread began to serve each
  std::thread accepting_;
};

}  // namespace vitrine
