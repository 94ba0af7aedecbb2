// SPDX-License-Identifier: Apache-2.0
// The buffers that a source fills and lends.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

/// Three buffers: one that is looked at, one that waits, one that is being filled. Any thread.
class Slots {
 public:
  static constexpr int kCount = 3;

  /// A buffer that nobody has; waits for one.
  int Take() {
    std::unique_lock lock(mutex_);
    int slot = 0;
    returned_.wait(lock, [&] {
      for (slot = 0; slot < kCount; ++slot) {
        if (!lent_[static_cast<size_t>(slot)]) return true;
      }
      return false;
    });
    lent_[static_cast<size_t>(slot)] = true;
    return slot;
  }

  void GiveBack(int slot) {
    {
      const std::lock_guard lock(mutex_);
      lent_[static_cast<size_t>(slot)] = false;
    }
    returned_.notify_all();
  }

  std::vector<uint8_t>& bytes(int slot) { return bytes_[static_cast<size_t>(slot)]; }

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::array<bool, kCount> lent_{};
  std::array<std::vector<uint8_t>, kCount> bytes_;
};

}  // namespace vitrine
