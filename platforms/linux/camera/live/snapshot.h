// SPDX-License-Identifier: Apache-2.0
// The newest frame as a JPEG.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "platforms/linux/camera/live/live_state.h"

namespace vitrine {

/// Returns width and height in pixels. For a JPEG they come from its header; zeros where they are missing.
std::pair<int, int> SizeOf(const Frame& frame);

/// Returns the frame as a JPEG at most 1280 pixels wide; a camera's JPEG is returned unchanged. Empty when memory runs out.
std::string EncodeJpeg(const FrameLayout& layout, const uint8_t* pixels, size_t size);

/// Keeps a copy of the newest frame while somebody asks for it, and encodes it in the thread that asks.
class Snapshots {
 public:
  /// Copies the frame if somebody has asked for one. Called from the pipeline's thread; never waits for readers, and
  /// allocates only when a frame is larger than those before.
  void Offer(const Decision& decision);

  /// Returns the newest classified frame; any thread. Waits up to a second for one, then returns null. Readers that ask at
  /// the same time share the bytes.
  std::shared_ptr<const std::string> Newest();

 private:
  struct Copy {
    int64_t frame = -1;
    FrameLayout layout;
    std::vector<uint8_t> bytes;
  };
  bool TakeCopy();

  Interest wanted_;
  std::mutex mutex_;  // held only while copying
  std::condition_variable offered_;
  int64_t newest_ = -1;  // frame that was offered
  Copy copy_;

  std::mutex encoding_;  // guards the members below
  Copy taken_;
  std::shared_ptr<const std::string> jpeg_;  // of taken_
};

}  // namespace vitrine
