// SPDX-License-Identifier: Apache-2.0
// Where frames come from: a V4L2 camera, libcamera, a pipe, or a folder of photos.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Monotonic: not affected by changes to the wall clock.
using FrameClock = std::chrono::steady_clock;

/// How a camera's pixels come: as one of PixelFormat, or as a JPEG each.
struct FrameLayout {
  bool is_jpeg = false;
  PixelFormat format = PixelFormat::kYuyv8;
  int width = 0;  ///< pixels; of a JPEG unknown
  int height = 0;
  int stride_bytes = 0;  ///< of the plane of Y, or of all
  YuvMatrix matrix = YuvMatrix::kBt601;
  YuvRange range = YuvRange::kLimited;
  const uint8_t* chroma[2] = {};  ///< planes that lie elsewhere; null where they follow Y

  /// Of a frame, all planes; 0 for a JPEG.
  size_t bytes() const;
  /// A view of a frame's bytes.
  ImageView ViewOf(const uint8_t* pixels) const;
};

/// The layout of packed rows.
FrameLayout PackedLayout(PixelFormat format, int width, int height);

/// A picture that a source lends until GiveBack().
struct Frame {
  FrameLayout layout;
  const uint8_t* pixels = nullptr;
  size_t size = 0;              ///< bytes
  FrameClock::time_point time;  ///< when it was taken, or arrived
  int slot = -1;                ///< the source's own
};

/// What FrameSource::Next() has come back with.
enum class Arrival : uint8_t {
  kFrame,
  kDamaged,  ///< a frame that cannot be used; reason() says why
  kEnd,      ///< no more will come, or somebody wants to stop
};

/// Lends at most three frames at a time: one that is looked at, one that waits, one that is being filled.
/// Next() from one thread, GiveBack() from any.
class FrameSource {
 public:
  virtual ~FrameSource() = default;

  /// Waits for a frame. Returns as soon as the descriptor that the source was made with can be read.
  /// Allocates nothing once a frame of every size has come. Throws Failure when none will ever come.
  virtual Arrival Next(Frame* frame) = 0;
  virtual void GiveBack(const Frame& frame) = 0;

  /// Whether the camera is gone, and waited for. Any thread.
  bool is_lost() const { return is_lost_; }

  /// Why the last frame was damaged: few words, that tell kinds of damage apart.
  const char* reason() const { return reason_; }

 protected:
  const char* reason_ = "";
  std::atomic<bool> is_lost_ = false;
};

/// Says something to the person at the terminal: a line on stderr.
void Notice(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// What a source waits with.
enum class Wait : uint8_t { kReady, kTimeout, kStopped };

/// Waits until `descriptor` can be read or `stop` can. -1 for neither, a negative timeout for ever. After a
/// minute without anything it says so, once, and goes on.
Wait WaitFor(int descriptor, int stop, int timeout_ms);

/// What to ask a camera for. It gives the nearest that it has.
struct CameraWish {
  int width = 640, height = 480;  ///< pixels
  int fps = 0;                    ///< frames a second; 0: as it is
  std::string format;  ///< yuyv, nv12, i420, rgb24, bgr24, mjpeg or gray; empty: the cheapest it has
};

/// `device` by mmap. Throws Failure when there is no such camera, or it has no format that is read. A camera
/// that goes away is waited for.
std::unique_ptr<FrameSource> OpenV4l2(const std::string& device, const CameraWish& wish, int stop);

/// The camera of libcamera that `id` names: its number, or a part of its name that no other has; "" for the
/// first. Throws Failure as OpenV4l2() does, and in a build without libcamera. One at a time.
std::unique_ptr<FrameSource> OpenLibcamera(const std::string& id, const CameraWish& wish, int stop);

/// What `descriptor` carries: "640x480:i420" (yuyv, nv12, rgb24, bgr24, gray), "y4m" or "mjpeg". Throws
/// WrongValue when `format` is none of these.
std::unique_ptr<FrameSource> OpenPipe(int descriptor, const std::string& format, int stop);

/// The photos of a folder in the order of their names, again and again, `fps` a second (0: as fast as they
/// are taken). Throws Failure when there is none.
std::unique_ptr<FrameSource> OpenFolder(const std::string& folder, int fps, int stop);

}  // namespace vitrine
