// SPDX-License-Identifier: Apache-2.0
// How the commands fail: an exception holds the one line that main prints.
#pragma once

#include <stdexcept>
#include <utility>
#include <vitrine/status.hpp>

namespace vitrine {

/// One clear line for the person at the terminal. main prints it and exits with 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option has a value that makes no sense. main prints the line and exits with 2.
class WrongValue : public Failure {
 public:
  using Failure::Failure;
};

/// Throws Failure with the message of a failed Status.
inline void OrFail(const Status& status) {
  if (!status.ok()) throw Failure(status.message());
}

/// Returns the value, or throws Failure.
template <typename T>
T OrFail(Result<T> result) {
  OrFail(result.status());
  return std::move(result).value();
}

}  // namespace vitrine
