// SPDX-License-Identifier: Apache-2.0
// A streaming libcamera camera: https://libcamera.org/guides/application-developer.html. Uses only what versions 0.0.3
// (Debian 12) to 0.5 have in common.
#pragma once

#include <libcamera/libcamera.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

/// A camera, its buffers mapped into our memory, and one request per buffer; buffer and request have the same number.
/// Use from one thread at a time; Queue() from any.
class LibcameraDevice {
 public:
  static constexpr unsigned kBuffers = 4, kMostBuffers = 32;  ///< asked for; the camera may use more

  /// Starts libcamera, once per process. Throws Failure.
  LibcameraDevice();
  LibcameraDevice(const LibcameraDevice&) = delete;
  ~LibcameraDevice();

  /// Acquires the camera, negotiates a format near the wish, and starts streaming. Returns the error, or "".
  std::string Open(const std::string& id, const CameraWish& wish);
  void Close();

  bool is_open() const { return camera_ != nullptr; }
  /// Becomes readable when Dequeue() has something, or is_gone().
  int descriptor() const { return event_; }
  bool is_gone() const { return gone_; }

  /// Returns the oldest completed request, or -1 where there is none. Does not allocate.
  int Dequeue();
  /// Returns the request to the camera; false where the camera is unplugged.
  bool Queue(int index);

  libcamera::Request& request(int index) const { return *requests_[static_cast<size_t>(index)]; }
  const FrameLayout& layout(int index) const { return pictures_[static_cast<size_t>(index)].layout; }
  const uint8_t* pixels(int index) const { return pictures_[static_cast<size_t>(index)].pixels; }
  /// The CPU may read the buffer between these two calls.
  void BeginRead(int index) const { Synchronize(index, true); }
  void EndRead(int index) const { Synchronize(index, false); }

 private:
  struct Map {
    int descriptor;  // of a dmabuf, which the allocator owns
    void* data;
    size_t size;
  };
  struct Picture {
    FrameLayout layout;
    const uint8_t* pixels = nullptr;
    std::vector<Map> maps;
  };

  std::string Negotiate(const CameraWish& wish);
  std::string Allocate();
  std::string MapBuffer(const libcamera::FrameBuffer& buffer);
  std::string Start(int fps);
  const uint8_t* MapPlane(const libcamera::FrameBuffer& buffer, size_t plane, Picture* picture) const;
  void Synchronize(int index, bool begins) const;
  void OnCompleted(libcamera::Request* request);
  void OnDisconnected();
  void Wake() const;

  std::unique_ptr<libcamera::CameraManager> manager_;
  std::shared_ptr<libcamera::Camera> camera_;
  std::unique_ptr<libcamera::CameraConfiguration> configuration_;
  std::unique_ptr<libcamera::FrameBufferAllocator> allocator_;
  std::vector<std::unique_ptr<libcamera::Request>> requests_;
  std::vector<Picture> pictures_;
  FrameLayout layout_;

  int event_ = -1;
  std::atomic<bool> gone_ = false;
  std::mutex mutex_;
  std::array<int, kMostBuffers> completed_ = {};  // ring buffer: `waiting_` entries from `oldest_` on
  size_t oldest_ = 0, waiting_ = 0;
};

}  // namespace vitrine
