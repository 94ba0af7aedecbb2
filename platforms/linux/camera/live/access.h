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

/// Of "127.0.0.1:8080", "localhost:8080" or "[::1]:8080". Throws Failure when it is none.
ListenAddress ParseListenAddress(const std::string& text);

/// A socket that listens there; sets the port that it has. Throws Failure, which says what was asked for.
int ListenOn(ListenAddress* address);

/// 128 random bits in hexadecimal digits. Throws Failure where the system has none.
std::string MakeToken();

/// The first line of a file: 16 to 128 letters, digits, '-', '_' or '.'. Throws Failure when it is not.
std::string ReadToken(const std::string& path);

/// Who may read. Any thread.
class Access {
 public:
  /// An empty token: anybody, which only a loopback address may have.
  Access(const ListenAddress& address, std::string token);

  /// Whether a request's Host header names this machine, where only it may ask: another name is a page from
  /// elsewhere that has been given our address (DNS rebinding).
  bool PermitsHost(std::string_view host) const;

  bool needs_token() const { return !token_.empty(); }
  /// Takes the same time whatever is wrong with the token.
  bool PermitsToken(std::string_view token) const;
  /// The token that a Cookie header carries, or "".
  std::string_view TokenOfCookies(std::string_view cookies) const;
  /// The Set-Cookie header that makes a browser carry it.
  std::string Cookie() const;

 private:
  bool is_loopback_;
  std::string token_, cookie_name_;
};

}  // namespace vitrine
