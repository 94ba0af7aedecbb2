// SPDX-License-Identifier: Apache-2.0
// Status and Result: how functions report failure, without exceptions and without the heap.
#pragma once

// All headers need C++20, for example for std::span. MSVC has its own macro; GCC 10 defines C++20 as 201709.
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

/// The kind of a failure. Programs use this; the message is for people.
enum class Code : uint8_t {
  kOk = 0,
  kInvalidArgument,   ///< an argument is out of range or has the wrong shape
  kNotFound,          ///< a file or folder does not exist or cannot be opened or written
  kInvalidModel,      ///< a model file is damaged or inconsistent
  kUnsupportedModel,  ///< a model file has another major version or needs a feature that is missing here
  kInvalidImage,      ///< the data is not an image, or the image is damaged
  kArenaTooSmall,     ///< the caller's arena is too small; the message has the number of bytes needed
  kOutOfMemory,       ///< memory could not be allocated
  kUnsupportedCpu,    ///< the CPU lacks the required instructions (NEON on ARM, SSE4.1 on x86)
  kInternal,          ///< an unexpected failure, for example in XNNPACK
};

/// A code, and for a failure one line with what was expected, what was found, and where. Does not allocate; a
/// copy has its own text. Many threads may read a Status at once.
class [[nodiscard]] Status {
 public:
  static constexpr int kMessageCapacity = 240;  ///< bytes, including the terminating zero

  /// Creates an ok Status.
  Status() noexcept { message_[0] = '\0'; }
  Status(const Status& other) noexcept : code_(other.code_) { CopyMessage(other); }
  Status& operator=(const Status& other) noexcept {
    code_ = other.code_;
    if (this != &other) CopyMessage(other);
    return *this;
  }

  /// Returns a failed Status with a printf-formatted message, truncated to kMessageCapacity - 1 bytes.
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
  /// Returns one line without a full stop, or "" when ok. The text lives as long as this Status.
  const char* message() const { return message_; }

 private:
  // Copies only the text in use: most statuses are ok, and each of them would copy 240 bytes.
  void CopyMessage(const Status& other) {
    if (ok())
      message_[0] = '\0';
    else
      std::memcpy(message_, other.message_, std::strlen(other.message_) + 1);
  }

  Code code_ = Code::kOk;
  char message_[kMessageCapacity];  // up to its '\0'; undefined after it
};

/// Either a value or the failed Status that explains why there is none. Call value() only when ok().
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
