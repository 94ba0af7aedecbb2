// SPDX-License-Identifier: Apache-2.0
// Sizes of memory: alignment, and rounding up to it.
#pragma once

#include <cstddef>

namespace vitrine {

/// Alignment of constants, buffers and scratch memory: a cache line, in bytes.
inline constexpr size_t kAlignment = 64;

/// Returns the smallest multiple of `multiple` that is at least n.
constexpr size_t RoundUp(size_t n, size_t multiple = kAlignment) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace vitrine
