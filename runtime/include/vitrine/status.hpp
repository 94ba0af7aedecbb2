// SPDX-License-Identifier: Apache-2.0
// Status and Result: how every function of the runtime reports failure, without exceptions
// and without the heap.
#pragma once

// All of the headers need C++20: std::span, say. MSVC tells in a macro of its own; GCC 10's C++20 is 201709.
#if defined(_MSVC_LANG) ? _MSVC_LANG <= 201703L : __cplusplus <= 201703L
#error "vitrine's C++ headers need C++20: compile with -std=c++20 (vitrine.h is for C and any C++)"
#endif

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

namespace vitrine {

/// What kind of failure a Status carries. Branch on this; the message is for people.
enum class Code : uint8_t {
  kOk = 0,
  kInvalidArgument,   ///< a caller's value is out of range or of the wrong shape
  kNotFound,          ///< a file or folder is not there or cannot be opened
  kInvalidModel,      ///< a model file is damaged or says something impossible
  kUnsupportedModel,  ///< a model file of another major version, or one that needs what this build has not
  kInvalidImage,      ///< bytes that are not an image, or an image that is damaged
  kArenaTooSmall,     ///< the caller's arena is too small; the message says how many bytes are needed
  kOutOfMemory,       ///< the system gave no memory
  kUnsupportedCpu,    ///< the processor lacks what every build needs (NEON, SSE4.1)
  kInternal,          ///< a library below refused what should have been right
};

/// A code and one line that says what was expected, what was found, and where.
/// Needs no heap; copying copies the text. Not thread-safe to modify, safe to read from many threads.
class [[nodiscard]] Status {
 public:
  static constexpr int kMessageCapacity = 240;

  // An ok Status writes two bytes and copies two bytes, so the message is never initialized as a whole.
  Status() noexcept { message_[0] = '\0'; }
  Status(const Status& other) noexcept : code_(other.code_) { CopyMessage(other); }
  Status& operator=(const Status& other) noexcept {
    code_ = other.code_;
    if (this != &other) CopyMessage(other);
    return *this;
  }

  /// Returns a failed Status with a printf-formatted message, cut at kMessageCapacity - 1 bytes.
  [[gnu::format(printf, 2, 3)]] static Status Error(Code code, const char* format, ...) {
    Status status;
    status.code_ = code;
    va_list arguments;
    va_start(arguments, format);
    if (std::vsnprintf(status.message_, sizeof status.message_, format, arguments) < 0)
      status.message_[0] = '\0';
    va_end(arguments);
    return status;
  }

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  /// One line without a full stop; empty when ok.
  const char* message() const { return message_; }

 private:
  void CopyMessage(const Status& other) {
    if (ok())
      message_[0] = '\0';
    else
      std::memcpy(message_, other.message_, std::strlen(other.message_) + 1);
  }

  Code code_ = Code::kOk;
  char message_[kMessageCapacity];  // up to its '\0'; undefined after it
};

/// Either a value or the Status that says why there is none. `value()` may be called only when `ok()`.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(const Status& status) : status_(status) {}

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace vitrine
