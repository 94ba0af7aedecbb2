// SPDX-License-Identifier: Apache-2.0
// What to do with a Status or a warning: pass a failure on, or report to the log.
#pragma once

#include <vitrine/status.hpp>
#include <vitrine/library.hpp>

/// Returns from the enclosing function when `expression` yields a failed Status.
#define VITRINE_RETURN_IF_ERROR(expression)                                      \
  do {                                                                           \
    if (::vitrine::Status vitrine_status = (expression); !vitrine_status.ok()) { \
      return vitrine_status;                                                     \
    }                                                                            \
  } while (false)

namespace vitrine {

/// Passes one line, cut at 300 bytes, to the log function; does nothing where none is set. Thread-safe.
[[gnu::format(printf, 2, 3)]] void Log(LogLevel level, const char* format, ...);

}  // namespace vitrine
