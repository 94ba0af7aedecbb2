// SPDX-License-Identifier: Apache-2.0
// The library as a whole: its version, its log and its allocator.
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <cstdint>
#include <vitrine/status.hpp>

namespace vitrine {

/// Returns the version of the library, for example "0.1.0". The string is static.
VITRINE_API const char* Version();

/// How important a log message is.
enum class LogLevel : uint8_t { kInfo, kWarning };

/// Receives one line without a line break. The text is valid during the call only.
using LogFunction = void (*)(void* context, LogLevel level, const char* message);

/// Sets the log callback. It may be called from any thread, for warnings and information, never for errors.
/// An example is a cache of packed weights that could not be written. Null (the default) disables logging.
/// `context` is passed to the callback. Not thread-safe: call it while no other call runs.
VITRINE_API void SetLog(LogFunction function, void* context);

/// Provides the memory for arenas and packed weights. Its functions may be called from any thread.
struct Allocator {
  /// Returns `bytes` bytes, aligned to `alignment`, which is a power of two. Returns null when out of memory.
  void* (*allocate)(void* context, size_t bytes, size_t alignment) = nullptr;
  /// Frees what `allocate` returned. `memory` is never null.
  void (*free)(void* context, void* memory) = nullptr;
  void* context = nullptr;  ///< passed to both functions
};

/// Sets the allocator of this process. An Allocator without functions selects the system's (the default).
/// Fails with kInvalidArgument when only one function is set, or when a model was opened before. Not
/// thread-safe.
VITRINE_API Status SetAllocator(const Allocator& allocator);

}  // namespace vitrine
