// SPDX-License-Identifier: Apache-2.0
// Where the live page listens, who may read it, and an HTTP server for a few readers. It answers one request per connection and
// closes every connection after ten seconds.
#pragma once

#include <functional>
#include <httplib.h>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace vitrine {

/// A numeric address and a port.
struct ListenAddress {
  std::string host;  ///< "127.0.0.1", "::1"
  int port = 0;      ///< 0: any that is free
  bool is_ipv6 = false;
  bool is_loopback = false;
};

/// Parses "127.0.0.1:8080", "localhost:8080" or "[::1]:8080". Throws Failure for anything else.
ListenAddress ParseListenAddress(const std::string& text);

/// Returns a listening socket and sets the port that it got. Throws Failure naming the address.
int ListenOn(ListenAddress* address);

/// Returns 128 random bits as hexadecimal digits. Throws Failure where the system has no random numbers.
std::string MakeToken();

/// Returns the token in a file: one line of 16 to 128 letters, digits, '-', '_' or '.'. Throws Failure otherwise.
std::string ReadToken(const std::string& path);

/// Decides who may read. Any thread.
class Access {
 public:
  /// With an empty token anybody may read; only a loopback address may have that.
  Access(const ListenAddress& address, std::string token);

  /// Returns whether a request's Host header is permitted. On a loopback address it must name this machine: any other name
  /// is a foreign page that was given our address (DNS rebinding).
  bool PermitsHost(std::string_view host) const;

  bool needs_token() const { return !token_.empty(); }
  /// Takes the same time for every wrong token.
  bool PermitsToken(std::string_view token) const;
  /// Returns the token in a Cookie header, or "".
  std::string_view TokenOfCookies(std::string_view cookies) const;
  /// Returns the Set-Cookie header that makes a browser send the token.
  std::string Cookie() const;

 private:
  bool is_loopback_;
  std::string token_, cookie_name_;
};

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
