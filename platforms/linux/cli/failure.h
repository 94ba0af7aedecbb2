// SPDX-License-Identifier: Apache-2.0
// How what stands on the library fails: by an exception that holds the line to say.
#pragma once

#include <stdexcept>
#include <utility>
#include <vitrine/status.hpp>

namespace vitrine {

/// One clear line for the person at the terminal; main prints it and exits with 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The value of an option that makes no sense; main prints it and exits with 2.
class WrongValue : public Failure {
 public:
  using Failure::Failure;
};

inline void OrFail(const Status& status) {
  if (!status.ok()) throw Failure(status.message());
}

template <typename T>
T OrFail(Result<T> result) {
  OrFail(result.status());
  return std::move(result).value();
}

}  // namespace vitrine
