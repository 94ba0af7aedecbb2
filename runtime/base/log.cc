// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/status.h"

#include <cstdarg>
#include <cstdio>

namespace vitrine {
namespace {

constinit LogFunction log_function = nullptr;
constinit void* log_context = nullptr;

}  // namespace

void SetLog(LogFunction function, void* context) {
  log_function = function;
  log_context = context;
}

void Log(LogLevel level, const char* format, ...) {
  if (log_function == nullptr) return;
  char line[300];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  log_function(log_context, level, line);
}

}  // namespace vitrine
