// SPDX-License-Identifier: Apache-2.0
// Handles: numbers that stand for objects, so that one which was closed is known for what it is.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
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
    const uintptr_t value = reinterpret_cast<uintptr_t>(handle), place = value & (kPlaces - 1);
    if (place >= slots_.size() || slots_[place].uses != value >> kPlaceBits) return nullptr;
    return slots_[place].object;
  }

  /// What it stood for, or null.
  std::shared_ptr<Object> Remove(Handle handle) {
    std::shared_ptr<Object> object = Find(handle);
    if (object == nullptr) return nullptr;
    const std::lock_guard lock(mutex_);
    slots_[reinterpret_cast<uintptr_t>(handle) & (kPlaces - 1)].object = nullptr;
    return object;
  }

 private:
  static constexpr unsigned kPlaceBits = 12;
  static constexpr uintptr_t kPlaces = uintptr_t{1} << kPlaceBits, kMostUses = UINTPTR_MAX >> kPlaceBits;

  struct Slot {
    uintptr_t uses = 0;
    std::shared_ptr<Object> object;
  };
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace vitrine
