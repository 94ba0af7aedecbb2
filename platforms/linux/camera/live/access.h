// SPDX-License-Identifier: Apache-2.0
// Where the live page listens, and who may read it.
#pragma once

#include <string>
#include <string_view>

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

}  // namespace vitrine
