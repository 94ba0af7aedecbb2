// SPDX-License-Identifier: Apache-2.0
// Frames from a V4L2 camera, which may be unplugged and come back.
#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <mutex>

#include "platforms/linux/camera/sources/v4l2_device.h"
#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

constexpr int kRetryMs = 500;

class V4l2Source final : public FrameSource {
 public:
  V4l2Source(std::string path, CameraWish wish, int stop)
      : path_(std::move(path)), wish_(std::move(wish)), stop_(stop) {
    const std::string wrong = device_.Open(path_, wish_);
    if (!wrong.empty()) throw Failure(wrong);
  }

  Arrival Next(Frame* frame) override {
    for (;;) {
      if (device_.descriptor() < 0 && !Reopen()) return Arrival::kEnd;
      if (WaitFor(device_.descriptor(), stop_, -1) == Wait::kStopped) return Arrival::kEnd;
      v4l2_buffer buffer;
      if (device_.Dequeue(&buffer)) return Judge(buffer, frame);
      if (errno == EAGAIN) continue;
      Leave();
    }
  }

  void GiveBack(const Frame& frame) override {
    {
      const std::lock_guard lock(mutex_);
      device_.Queue(
          static_cast<unsigned>(frame.slot));  // fails when the camera is unplugged; Next() handles that
      --in_use_;
    }
    returned_.notify_all();
  }

 private:
  Arrival Judge(const v4l2_buffer& buffer, Frame* frame) {
    const FrameLayout& layout = device_.layout();
    const bool is_torn = (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0;
    if (is_torn || buffer.bytesused < layout.bytes() || buffer.bytesused == 0) {
      reason_ = is_torn ? "marked as damaged by the camera" : "too short for its format";
      device_.Queue(buffer.index);
      return Arrival::kDamaged;
    }
    frame->layout = layout;
    frame->pixels = device_.pixels(buffer.index);
    frame->size = buffer.bytesused;
    frame->slot = static_cast<int>(buffer.index);
    frame->time = TimeOf(buffer);
    const std::lock_guard lock(mutex_);
    ++in_use_;
    return Arrival::kFrame;
  }

  /// Returns the driver's time if it uses our clock, else the current time.
  static FrameClock::time_point TimeOf(const v4l2_buffer& buffer) {
    const auto now = FrameClock::now();
    if ((buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) return now;
    const FrameClock::time_point taken(std::chrono::seconds(buffer.timestamp.tv_sec) +
                                       std::chrono::microseconds(buffer.timestamp.tv_usec));
    return taken <= now && now - taken < std::chrono::seconds(10) ? taken : now;
  }

  /// Closes the device once all its buffers are returned.
  void Leave() {
    is_lost_ = true;
    Notice("%s: the camera is unplugged; waiting for it", path_.c_str());
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return in_use_ == 0; });
    device_.Close();
  }

  /// Tries until the camera is back; returns false when the program is stopping.
  bool Reopen() {
    while (WaitFor(-1, stop_, kRetryMs) != Wait::kStopped) {
      if (!device_.Open(path_, wish_).empty()) continue;
      is_lost_ = false;
      Notice("%s: the camera is back", path_.c_str());
      return true;
    }
    return false;
  }

  std::string path_;
  CameraWish wish_;
  int stop_;
  V4l2Device device_;
  std::mutex mutex_;
  std::condition_variable returned_;
  int in_use_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> OpenV4l2(const std::string& device, const CameraWish& wish, int stop) {
  return std::make_unique<V4l2Source>(device, wish, stop);
}

}  // namespace vitrine
