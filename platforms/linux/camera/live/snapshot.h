// SPDX-License-Identifier: Apache-2.0
// The newest frame as a JPEG, for those who ask.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "platforms/linux/camera/live/live_state.h"

namespace vitrine {

/// Width and height in pixels; of a JPEG as its header says, zeros where it does not.
std::pair<int, int> SizeOf(const Frame& frame);

/// The frame as a JPEG of at most 1280 pixels across; a camera's JPEG as it is. Empty when memory is short.
std::string EncodeJpeg(const FrameLayout& layout, const uint8_t* pixels, size_t size);

/// Keeps a copy of the newest frame while somebody asks for it, and makes it a JPEG in the thread that asks.
class Snapshots {
 public:
  /// From the pipeline's thread: copies the frame if somebody has asked for one. Waits for nobody; allocates
  /// only when a copy is larger than those before.
  void Offer(const Decision& decision);

  /// The newest frame that a decision was made on, from any thread. Waits up to a second for one, then
  /// returns null. Those who ask at the same time have the same bytes.
  std::shared_ptr<const std::string> Newest();

 private:
  struct Copy {
    int64_t frame = -1;
    FrameLayout layout;
    std::vector<uint8_t> bytes;
  };
  bool TakeCopy();

  Interest wanted_;
  std::mutex mutex_;  // for a copy's time at most
  std::condition_variable offered_;
  int64_t newest_ = -1;  // frame that was offered
  Copy copy_;

  std::mutex encoding_;  // what follows
  Copy taken_;
  std::shared_ptr<const std::string> jpeg_;  // of taken_
};

}  // namespace vitrine
