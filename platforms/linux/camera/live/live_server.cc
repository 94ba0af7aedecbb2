// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live/live_server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vitrine {
namespace {

constexpr size_t kThreads = 4, kWaiting = 16;
constexpr time_t kPatienceSeconds = 2;  // for the next byte
constexpr int kNiceness = 10;           // inference comes first
constexpr auto kLongest = std::chrono::seconds(10);

}  // namespace

/// Closes old connections whenever a new one arrives, and once a second.
class LiveServer::Queue final : public httplib::TaskQueue {
 public:
  explicit Queue(LiveServer* server) : server_(server), pool_(kThreads, kThreads, kWaiting) {}

  bool enqueue(std::function<void()> task) override {
    server_->ShutDownOlderThan(kLongest);
    return pool_.enqueue(std::move(task));
  }
  void on_idle() override { server_->ShutDownOlderThan(kLongest); }
  void shutdown() override {
    server_->ShutDownOlderThan({});
    pool_.shutdown();
  }

 private:
  LiveServer* server_;
  httplib::ThreadPool pool_;
};

LiveServer::LiveServer(int listener, Handler handler) {
  svr_sock_ = listener;
  new_task_queue = [this] { return new Queue(this); };
  set_idle_interval(1);
  set_keep_alive_max_count(1);  // an idle connection would occupy a thread
  set_keep_alive_timeout(kPatienceSeconds);
  set_read_timeout(kPatienceSeconds);
  set_write_timeout(kPatienceSeconds);
  set_payload_max_length(1024);
  set_pre_routing_handler([handler](const httplib::Request& request, httplib::Response& response) {
    handler(request, response);
    return HandlerResponse::Handled;
  });
  accepting_ = std::thread([this] {
    setpriority(PRIO_PROCESS, 0, kNiceness);  // this thread and those that it starts
    listen_after_bind();
  });
}

LiveServer::~LiveServer() {
  wait_until_ready();
  stop();
  accepting_.join();
}

bool LiveServer::process_and_close_socket(socket_t connection) {
  {
    const std::lock_guard lock(mutex_);
    connections_[connection] = Clock::now();
  }
  // After stop() nothing closes a connection that is not in the list yet.
  const bool done =
      svr_sock_ != INVALID_SOCKET &&
      httplib::detail::process_server_socket(
          svr_sock_, connection, keep_alive_max_count_, keep_alive_timeout_sec_, read_timeout_sec_,
          read_timeout_usec_, write_timeout_sec_, write_timeout_usec_,
          [&](httplib::Stream& stream, bool close_connection, bool& connection_closed) {
            return process_request(stream, "", 0, "", 0, close_connection, connection_closed, nullptr);
          });
  shutdown(connection, SHUT_RDWR);
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  close(connection);  // from here on the number may belong to another connection
  return done;
}

void LiveServer::ShutDownOlderThan(Clock::duration age) {
  const std::lock_guard lock(mutex_);
  for (const auto& [connection, since] : connections_) {
    if (Clock::now() - since >= age) shutdown(connection, SHUT_RDWR);
  }
}

}  // namespace vitrine
