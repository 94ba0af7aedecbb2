// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <vector>

#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

constexpr int kBacklog = 16;
constexpr int kSendBytes = 128 << 10;  // kernel buffer of an answer, for slow readers
constexpr size_t kTokenBytes = 16, kLeastToken = 16, kMostToken = 128;

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Returns false where `host` is not a numeric address.
bool Resolve(const ListenAddress& address, SocketAddress* resolved) {
  *resolved = {};
  if (address.is_ipv6) {
    resolved->v6.sin6_family = AF_INET6;
    resolved->v6.sin6_port = htons(static_cast<uint16_t>(address.port));
    return inet_pton(AF_INET6, address.host.c_str(), &resolved->v6.sin6_addr) == 1;
  }
  resolved->v4.sin_family = AF_INET;
  resolved->v4.sin_port = htons(static_cast<uint16_t>(address.port));
  return inet_pton(AF_INET, address.host.c_str(), &resolved->v4.sin_addr) == 1;
}

bool IsLoopback(const SocketAddress& address) {
  if (address.any.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
  return ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
}

std::string ToString(const ListenAddress& address) {
  const std::string port = ":" + std::to_string(address.port);
  return address.is_ipv6 ? "[" + address.host + "]" + port : address.host + port;
}

constexpr size_t kThreads = 4, kWaiting = 16;
constexpr time_t kPatienceSeconds = 2;  // for the next byte
constexpr int kNiceness = 10;           // inference comes first
constexpr auto kLongest = std::chrono::seconds(10);

}  // namespace

ListenAddress ParseListenAddress(const std::string& text) {
  const Failure wrong("expected an address and a port such as 127.0.0.1:8080, found " + text);
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw wrong;
  ListenAddress address;
  address.host = text.substr(0, colon);
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || rest != end || address.port < 0 || address.port > 65535) throw wrong;
  if (address.host == "localhost") address.host = "127.0.0.1";
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
    address.is_ipv6 = true;
  }
  SocketAddress resolved;
  if (!Resolve(address, &resolved)) throw wrong;
  address.is_loopback = IsLoopback(resolved);
  return address;
}

int ListenOn(ListenAddress* address) {
  SocketAddress resolved;
  Resolve(*address, &resolved);
  const int one = 1;
  socklen_t bytes = address->is_ipv6 ? sizeof resolved.v6 : sizeof resolved.v4;
  const int listener = socket(resolved.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener >= 0) {
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &kSendBytes, sizeof kSendBytes);  // connections inherit it
  }
  if (listener < 0 || bind(listener, &resolved.any, bytes) != 0 || listen(listener, kBacklog) != 0) {
    const int error = errno;
    if (listener >= 0) close(listener);
    throw Failure("--listen " + ToString(*address) + ": " + std::strerror(error));
  }
  getsockname(listener, &resolved.any, &bytes);
  address->port = ntohs(address->is_ipv6 ? resolved.v6.sin6_port : resolved.v4.sin_port);
  return listener;
}

std::string MakeToken() {
  unsigned char bytes[kTokenBytes];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
    throw Failure("the system has no random numbers for a token");
  std::string token;
  for (const unsigned char byte : bytes) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  return token;
}

std::string ReadToken(const std::string& path) {
  std::string token;
  std::ifstream file(path);
  if (!file) throw Failure("--token-file " + path + ": cannot be read");
  std::getline(file, token);
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  if (token.size() < kLeastToken || token.size() > kMostToken ||
      !std::all_of(token.begin(), token.end(), is_plain))
    throw Failure("--token-file " + path + ": expected a line of 16 to 128 letters, digits, '-', '_' or '.'");
  return token;
}

Access::Access(const ListenAddress& address, std::string token)
    : is_loopback_(address.is_loopback),
      token_(std::move(token)),
      cookie_name_("vitrine_" + std::to_string(address.port)) {}  // browsers share cookies between ports

bool Access::PermitsHost(std::string_view host) const {
  if (!is_loopback_) return true;
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon))
    host = host.substr(0, colon);
  if (host == "localhost" || host == "[::1]") return true;
  ListenAddress address;
  address.host = host;
  SocketAddress resolved;
  return Resolve(address, &resolved) && IsLoopback(resolved);
}

bool Access::PermitsToken(std::string_view token) const {
  unsigned different = token.size() == token_.size() ? 0 : 1;
  for (size_t i = 0; i < token_.size(); ++i) {
    const char given = token.empty() ? '\0' : token[i % token.size()];
    different |= static_cast<unsigned char>(given ^ token_[i]);
  }
  return different == 0;
}

std::string_view Access::TokenOfCookies(std::string_view cookies) const {
  while (!cookies.empty()) {
    const size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view cookie = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    cookie.remove_prefix(std::min(cookie.find_first_not_of(' '), cookie.size()));
    if (cookie.size() > cookie_name_.size() && cookie.substr(0, cookie_name_.size()) == cookie_name_ &&
        cookie[cookie_name_.size()] == '=')
      return cookie.substr(cookie_name_.size() + 1);
  }
  return {};
}

std::string Access::Cookie() const {
  return cookie_name_ + "=" + token_ + "; Path=/; HttpOnly; SameSite=Strict";
}

/// A queue of connections and the threads that serve them. Closes old connections whenever a new one arrives, and once a
/// second.
class LiveServer::Queue final : public httplib::TaskQueue {
 public:
  /// Throws std::system_error when the system has no thread left.
  explicit Queue(LiveServer* server) : server_(server) {
    try {
      while (threads_.size() < kThreads) threads_.emplace_back([this] { Work(); });
    } catch (...) {
      End();
      throw;
    }
  }
  ~Queue() override { End(); }

  bool enqueue(std::function<void()> task) override {
    server_->ShutDownOlderThan(kLongest);
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= kWaiting) return false;
      waiting_.push_back(std::move(task));
    }
    changed_.notify_one();
    return true;
  }
  void on_idle() override { server_->ShutDownOlderThan(kLongest); }
  void shutdown() override {
    server_->ShutDownOlderThan({});
    End();
  }

 private:
  void Work() {
    setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return has_ended_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        task = std::move(waiting_.front());
        waiting_.pop_front();
      }
      task();
    }
  }

  /// Serves what waits, then joins the threads.
  void End() {
    {
      const std::lock_guard lock(mutex_);
      has_ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  LiveServer* server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool has_ended_ = false;
  std::vector<std::thread> threads_;
};

LiveServer::LiveServer(int listener, Handler handler) {
  svr_sock_ = listener;
  // Made here, so that a system without threads fails in the caller; the accepting thread deletes it.
  const auto queue = std::make_shared<std::unique_ptr<Queue>>(std::make_unique<Queue>(this));
  new_task_queue = [queue] { return queue->release(); };
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
    setpriority(PRIO_PROCESS, 0, kNiceness);
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
