// SPDX-License-Identifier: Apache-2.0
// Where large memory comes from: the system, or the allocator that a caller has set.
#pragma once

#include <cstddef>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Returns `bytes` aligned to `alignment`, a power of two of at least 8, or null. Thread-safe.
void* AllocateBytes(size_t bytes, size_t alignment);
void FreeBytes(void* memory);

/// From now on the allocator is not changed any more: memory that one gave must go back to it.
void KeepAllocator();

}  // namespace vitrine
