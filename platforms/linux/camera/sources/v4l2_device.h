// SPDX-License-Identifier: Apache-2.0
// A V4L2 camera that streams into mapped buffers: the Linux kernel's Documentation/userspace-api/media/v4l/mmap.rst.
#pragma once

#include <linux/videodev2.h>

#include <array>
#include <string>

#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

/// A device and the buffers that the driver fills, through the single-planar or the multi-planar interface; of the latter
/// only formats in one piece of memory. Use from one thread; Queue() from any.
class V4l2Device {
 public:
  static constexpr unsigned kBuffers = 4, kMostBuffers = 32;  ///< asked for; drivers may return more

  V4l2Device() = default;
  V4l2Device(const V4l2Device&) = delete;
  ~V4l2Device() { Close(); }

  /// Opens the camera, negotiates a format near the wish, and starts streaming. Returns the error, or "".
  std::string Open(const std::string& path, const CameraWish& wish);
  void Close();

  int descriptor() const { return descriptor_; }
  const FrameLayout& layout() const { return layout_; }

  /// Takes a filled buffer from the driver; bytesused counts from pixels() on. Returns false with errno where there is
  /// none.
  bool Dequeue(v4l2_buffer* buffer);
  /// Returns a buffer to the driver.
  bool Queue(unsigned index);
  /// Returns the pixels of a dequeued buffer.
  const uint8_t* pixels(unsigned index) const {
    return static_cast<const uint8_t*>(maps_[index].data) + maps_[index].offset;
  }

 private:
  struct Map {
    void* data = nullptr;
    size_t size = 0;
    uint32_t offset = 0;  ///< of the pixels
  };
  /// The format that a driver returned for the one it was asked for.
  struct Agreed {
    uint32_t fourcc, width, height, bytes_per_line, color_space, encoding, quantization;
  };

  bool is_multi_planar() const { return type_ == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE; }
  v4l2_buffer BufferOf(unsigned index, v4l2_plane* plane) const;
  int Control(unsigned long request, void* argument) const;
  std::string Fail(const char* what) const;
  std::string FindInterface();
  int Ask(uint32_t fourcc, const CameraWish& wish, Agreed* agreed) const;
  std::string Negotiate(const CameraWish& wish);
  void AskForRate(int fps);
  std::string MapBuffers();

  std::string path_;
  int descriptor_ = -1;
  v4l2_buf_type type_ = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  FrameLayout layout_;
  std::array<Map, kMostBuffers> maps_;
  unsigned buffers_ = 0;
};

}  // namespace vitrine
