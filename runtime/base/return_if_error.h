// SPDX-License-Identifier: Apache-2.0
// VITRINE_RETURN_IF_ERROR: passes a failed Status on to the caller.
#pragma once

#include <vitrine/status.hpp>

/// Returns from the enclosing function when `expression` yields a failed Status.
#define VITRINE_RETURN_IF_ERROR(expression)                                      \
  do {                                                                           \
    if (::vitrine::Status vitrine_status = (expression); !vitrine_status.ok()) { \
      return vitrine_status;                                                     \
    }                                                                            \
  } while (false)
