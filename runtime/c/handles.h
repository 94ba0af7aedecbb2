// SPDX-License-Identifier: Apache-2.0
// Handles: numbers that stand for objects, so that one which was closed is known for what it is.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace vitrine {

/// Objects by handle. A handle is a place in the table and how often the place has been used; one that was
/// closed fits nothing any more. Handle is a pointer type that is never followed; null is none. Thread-safe.
template <typename Handle, typename Object>
class HandleTable {
 public:
  /// Null when there are too many.
  Handle Add(std::shared_ptr<Object> object) {
    const std::lock_guard lock(mutex_);
    size_t place = 0;
    while (place < slots_.size() && (slots_[place].object != nullptr || slots_[place].uses == kMostUses))
      ++place;
    if (place == kPlaces) return nullptr;
    if (place == slots_.size()) slots_.emplace_back();
    Slot& slot = slots_[place];
    slot.object = std::move(object);
    ++slot.uses;
    return reinterpret_cast<Handle>(slot.uses << kPlaceBits | place);
  }

  /// Null when the handle is not open.
  std::shared_ptr<Object> Find(Handle handle) const {
    const std::lock_guard lock(mutex_);
    const size_t place = PlaceOf(handle);
    return place < slots_.size() ? slots_[place].object : nullptr;
  }

  /// What it stood for, to the one thread that closes it; null to all others.
  std::shared_ptr<Object> Remove(Handle handle) {
    const std::lock_guard lock(mutex_);
    const size_t place = PlaceOf(handle);
    return place < slots_.size() ? std::exchange(slots_[place].object, nullptr) : nullptr;
  }

 private:
  static constexpr unsigned kPlaceBits = 12;
  static constexpr uintptr_t kPlaces = uintptr_t{1} << kPlaceBits, kMostUses = UINTPTR_MAX >> kPlaceBits;

  struct Slot {
    uintptr_t uses = 0;
    std::shared_ptr<Object> object;
  };

  /// Beyond the end for a handle that was never given out, or whose place has been used since.
  size_t PlaceOf(Handle handle) const {
    const uintptr_t value = reinterpret_cast<uintptr_t>(handle), place = value & (kPlaces - 1);
    return place < slots_.size() && slots_[place].uses == value >> kPlaceBits ? place : slots_.size();
  }

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace vitrine
