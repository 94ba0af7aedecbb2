// SPDX-License-Identifier: Apache-2.0
// The C interface: the library as a whole, its version, log, allocator and last error.
#include <cstdio>

#include "runtime/c/calls.h"

namespace vitrine {
namespace {

thread_local char last_error[Status::kMessageCapacity];
vitrine_log_function log_function = nullptr;

}  // namespace

Tables& AllTables() {
  static Tables* const tables = new Tables;
  return *tables;
}

static_assert(static_cast<int>(Code::kInternal) == VITRINE_INTERNAL);

vitrine_status Fail(const Status& status) {
  return Refuse(status.message(), static_cast<vitrine_status>(status.code()));
}

vitrine_status Refuse(const char* message, vitrine_status code) {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return code;
}

}  // namespace vitrine

const char* vitrine_version(void) { return vitrine::Version(); }
int vitrine_c_api_version(void) { return VITRINE_C_API_MAJOR * 1000 + VITRINE_C_API_MINOR; }
const char* vitrine_instruction_set(void) { return vitrine::InstructionSet(); }
const char* vitrine_last_error(void) { return vitrine::last_error; }

void vitrine_set_log(vitrine_log_function function, void* context) {
  vitrine::log_function = function;
  if (function == nullptr) return vitrine::SetLog(nullptr, nullptr);
  vitrine::SetLog(
      [](void* context_of_log, vitrine::LogLevel level, const char* message) {
        vitrine::log_function(context_of_log, static_cast<vitrine_log_level>(level), message);
      },
      context);
}

vitrine_status vitrine_set_allocator(vitrine_allocate_function allocate, vitrine_free_function release,
                                     void* context) {
  return vitrine::Returned(vitrine::SetAllocator({allocate, release, context}));
}
