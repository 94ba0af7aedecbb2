// SPDX-License-Identifier: Apache-2.0
// Frames from a libcamera camera, which may be unplugged and come back. libcamera_module.cc loads this as a module.
#include <condition_variable>
#include <mutex>

#include "platforms/linux/camera/sources/libcamera_device.h"
#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

constexpr int kRetryMs = 500;
constexpr int kMostDamaged = 100;  // in a row; then the camera counts as unplugged

class LibcameraSource final : public FrameSource {
 public:
  LibcameraSource(std::string id, CameraWish wish, int stop)
      : id_(std::move(id)), wish_(std::move(wish)), stop_(stop) {
    const std::string wrong = device_.Open(id_, wish_);
    if (!wrong.empty()) throw Failure(wrong);
  }

  Arrival Next(Frame* frame) override {
    for (;;) {
      if (!device_.is_open() && !Reopen()) return Arrival::kEnd;
      if (WaitFor(device_.descriptor(), stop_, -1) == Wait::kStopped) return Arrival::kEnd;
      if (device_.is_gone() || damaged_ >= kMostDamaged) {
        Leave();
      } else if (const int index = device_.Dequeue(); index >= 0) {
        return Judge(index, frame);
      }
    }
  }

  void GiveBack(const Frame& frame) override {
    device_.EndRead(frame.slot);
    {
      const std::lock_guard lock(mutex_);
      device_.Queue(frame.slot);  // fails when the camera is unplugged; Next() handles that
      --in_use_;
    }
    returned_.notify_all();
  }

 private:
  Arrival Judge(int index, Frame* frame) {
    libcamera::Request& request = device_.request(index);
    const libcamera::FrameMetadata& metadata = request.buffers().begin()->second->metadata();
    size_t size = 0;
    for (const auto& plane : metadata.planes()) size += plane.bytesused;
    const FrameLayout& layout = device_.layout(index);
    reason_ = DamageOf(request, metadata, size, layout);
    if (reason_[0] != '\0') {
      ++damaged_;
      device_.Queue(index);
      return Arrival::kDamaged;
    }
    damaged_ = 0;
    device_.BeginRead(index);
    *frame = {layout, device_.pixels(index), size, TimeOf(request, metadata), index};
    const std::lock_guard lock(mutex_);
    ++in_use_;
    return Arrival::kFrame;
  }

  /// Returns why a frame cannot be used; "" where it can.
  static const char* DamageOf(const libcamera::Request& request, const libcamera::FrameMetadata& metadata,
                              size_t size, const FrameLayout& layout) {
    if (request.status() == libcamera::Request::RequestCancelled) return "canceled by the camera";
    if (metadata.status != libcamera::FrameMetadata::FrameSuccess) return "marked as damaged by the camera";
    return size < layout.bytes() || size == 0 ? "too short for its format" : "";
  }

  /// Returns the sensor's time if it uses our clock, else the current time.
  static FrameClock::time_point TimeOf(libcamera::Request& request,
                                       const libcamera::FrameMetadata& metadata) {
    const auto now = FrameClock::now();
    const auto sensor = request.metadata().get(libcamera::controls::SensorTimestamp);
    const FrameClock::time_point taken(
        std::chrono::nanoseconds(sensor ? *sensor : static_cast<int64_t>(metadata.timestamp)));
    return taken <= now && now - taken < std::chrono::seconds(10) ? taken : now;
  }

  /// Closes the camera once all its buffers are returned.
  void Leave() {
    is_lost_ = true;
    Notice("%s: the camera is unplugged; waiting for it", id_.empty() ? "libcamera" : id_.c_str());
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return in_use_ == 0; });
    device_.Close();
    damaged_ = 0;
  }

  /// Tries until the camera is back; returns false when the program is stopping.
  bool Reopen() {
    while (WaitFor(-1, stop_, kRetryMs) != Wait::kStopped) {
      if (!device_.Open(id_, wish_).empty()) continue;
      is_lost_ = false;
      Notice("%s: the camera is back", id_.empty() ? "libcamera" : id_.c_str());
      return true;
    }
    return false;
  }

  std::string id_;
  CameraWish wish_;
  int stop_;
  LibcameraDevice device_;
  int damaged_ = 0;
  std::mutex mutex_;
  std::condition_variable returned_;
  int in_use_ = 0;
};

}  // namespace
}  // namespace vitrine

extern "C" __attribute__((visibility("default"))) vitrine::FrameSource* OpenLibcameraSource(
    const std::string& id, const vitrine::CameraWish& wish, int stop, std::string* wrong) noexcept try {
  return new vitrine::LibcameraSource(id, wish, stop);
} catch (const std::exception& error) {
  *wrong = error.what();
  return nullptr;
}
