// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>

#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(700);

// A signal handler may do no more than write to the first and set the second.
int stop_event = -1;
std::atomic<bool> is_signalled{false};

}  // namespace

Stop::Stop() {
  stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event < 0) throw Failure("cannot create an event");
  struct sigaction action = {};
  action.sa_handler = [](int) {
    is_signalled = true;
    Request();
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write()
  watcher_ = std::thread([this] { EndInTime(); });
}

Stop::~Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  Request();
  watcher_.join();
}

int Stop::event() const { return stop_event; }

void Stop::Request() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_event, &one, sizeof one);
}

bool Stop::has_signal() { return is_signalled; }

void Stop::EndInTime() {
  pollfd polled = {stop_event, POLLIN, 0};
  while (poll(&polled, 1, -1) < 0) {
  }  // interrupted by a signal; its handler has written to the event
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, kPatience, [this] { return is_over_; }) || !is_signalled) return;
  _exit(0);
}

}  // namespace vitrine
