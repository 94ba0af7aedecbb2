// SPDX-License-Identifier: Apache-2.0
// Handles: numbers that refer to objects, so that a closed handle is always detected.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace vitrine {

/// A table of objects by handle. A handle combines a place in the table with the number of times that the
/// place was used, so that a closed handle never matches a later object. Handle is a pointer type that is
/// never dereferenced; null is no handle. Thread-safe.
template <typename Handle, typename Object>
class HandleTable {
 public:
  /// Returns a new handle, or null when too many are open.
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

  /// Returns the object, or null when the handle is not open.
  std::shared_ptr<Object> Find(Handle handle) const {
    const std::lock_guard lock(mutex_);
    const size_t place = PlaceOf(handle);
    return place < slots_.size() ? slots_[place].object : nullptr;
  }

  /// Closes the handle. Returns its object, or null when the handle is not open: only one of several threads
  /// that close the same handle receives the object.
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

  /// Returns the place of an open handle; slots_.size() for any other value.
  size_t PlaceOf(Handle handle) const {
    const uintptr_t value = reinterpret_cast<uintptr_t>(handle), place = value & (kPlaces - 1);
    return place < slots_.size() && slots_[place].uses == value >> kPlaceBits ? place : slots_.size();
  }

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace vitrine
