// SPDX-License-Identifier: Apache-2.0
// Sources of frames: a V4L2 camera, libcamera, a pipe, or a folder of photos.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Monotonic: changes to the wall clock do not affect it.
using FrameClock = std::chrono::steady_clock;

/// The layout of a frame's pixels: one of PixelFormat, or a JPEG.
struct FrameLayout {
  bool is_jpeg = false;
  PixelFormat format = PixelFormat::kYuyv8;
  int width = 0;  ///< pixels; unknown for a JPEG
  int height = 0;
  int stride_bytes = 0;  ///< of the Y plane, or of the only plane
  YuvMatrix matrix = YuvMatrix::kBt601;
  YuvRange range = YuvRange::kLimited;
  const uint8_t* chroma[2] = {};  ///< chroma planes; null where they follow Y directly

  /// Returns the size of a frame with all planes; 0 for a JPEG.
  size_t bytes() const;
  /// Returns a view of a frame's bytes.
  ImageView ViewOf(const uint8_t* pixels) const;
};

/// Returns the layout of rows without padding.
FrameLayout PackedLayout(PixelFormat format, int width, int height);

/// A borrowed picture: it belongs to the source and is valid until GiveBack().
struct Frame {
  FrameLayout layout;
  const uint8_t* pixels = nullptr;
  size_t size = 0;              ///< bytes
  FrameClock::time_point time;  ///< when it was taken, or else when it arrived
  int slot = -1;                ///< the source's number for the buffer
};

/// The result of FrameSource::Next().
enum class Arrival : uint8_t {
  kFrame,
  kDamaged,  ///< a frame that cannot be used; reason() gives the cause
  kEnd,      ///< there are no more frames, or the program is stopping
};

/// Delivers frames. At most three are in use at a time: one is classified, one waits, one is filled. Call Next()
/// from one thread and GiveBack() from any.
class FrameSource {
 public:
  virtual ~FrameSource() = default;

  /// Waits for a frame and returns it. Also returns when the `stop` descriptor of the source becomes readable.
  /// Does not allocate once a frame of every size has arrived. Throws Failure when no frame can ever arrive.
  virtual Arrival Next(Frame* frame) = 0;
  /// Returns the frame's buffer to the source.
  virtual void GiveBack(const Frame& frame) = 0;

  /// Returns whether the camera is unplugged; Next() then waits for it. Any thread.
  bool is_lost() const { return is_lost_; }

  /// Returns in a few words why the last frame was damaged. Equal pointers mean the same kind of damage.
  const char* reason() const { return reason_; }

 protected:
  const char* reason_ = "";
  std::atomic<bool> is_lost_ = false;
};

/// The three buffers of a source that fills its own memory. Any thread.
class Slots {
 public:
  static constexpr int kCount = 3;

  /// Waits for a free buffer and reserves it.
  int Take() {
    std::unique_lock lock(mutex_);
    int slot = 0;
    returned_.wait(lock, [&] {
      for (slot = 0; slot < kCount; ++slot) {
        if (!in_use_[static_cast<size_t>(slot)]) return true;
      }
      return false;
    });
    in_use_[static_cast<size_t>(slot)] = true;
    return slot;
  }

  void GiveBack(int slot) {
    {
      const std::lock_guard lock(mutex_);
      in_use_[static_cast<size_t>(slot)] = false;
    }
    returned_.notify_all();
  }

  std::vector<uint8_t>& bytes(int slot) { return bytes_[static_cast<size_t>(slot)]; }

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::array<bool, kCount> in_use_{};
  std::array<std::vector<uint8_t>, kCount> bytes_;
};

/// Prints a line for the person at the terminal, on stderr.
void Notice(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Why WaitFor() returned.
enum class Wait : uint8_t { kReady, kTimeout, kStopped };

/// Waits until `descriptor` or `stop` can be read. A descriptor of -1 is ignored; a negative timeout never expires.
/// After a minute without a frame it prints a notice, once, and keeps waiting.
Wait WaitFor(int descriptor, int stop, int timeout_ms);

/// What to ask a camera for. The camera chooses the nearest settings that it has.
struct CameraWish {
  int width = 640, height = 480;  ///< pixels
  int fps = 0;                    ///< frames per second; 0: the camera's default
  std::string format;  ///< yuyv, nv12, i420, rgb24, bgr24, mjpeg or gray; empty: the fastest to read
};

/// Opens a V4L2 camera, with buffers mapped from the driver. Throws Failure when there is no such camera or it has
/// no supported format. If the camera is unplugged later, the source waits for it to come back.
std::unique_ptr<FrameSource> OpenV4l2(const std::string& device, const CameraWish& wish, int stop);

/// Opens a libcamera camera by its number or by a unique part of its name; "" opens the first. Throws Failure as
/// OpenV4l2() does, and in a build without libcamera. Only one may be open at a time.
std::unique_ptr<FrameSource> OpenLibcamera(const std::string& id, const CameraWish& wish, int stop);

/// The type of OpenLibcameraSource, the one function of the libcamera module. libcamera loads thirty libraries and
/// takes 6 MB of memory, so only --libcamera loads the module. Returns a source that the caller deletes, or null with the
/// reason in `wrong`. Throws nothing.
using OpenLibcameraFunction = FrameSource*(const std::string& id, const CameraWish& wish, int stop,
                                           std::string* wrong) noexcept;

/// Reads frames from `descriptor`. `format` is "640x480:i420" (or yuyv, nv12, rgb24, bgr24, gray), "y4m" or "mjpeg".
/// Throws WrongValue for another format.
std::unique_ptr<FrameSource> OpenPipe(int descriptor, const std::string& format, int stop);

/// Shows the photos of a folder in the order of their names, in a loop, `fps` per second (0: without waiting). Throws
/// Failure when there is none.
std::unique_ptr<FrameSource> OpenFolder(const std::string& folder, int fps, int stop);

}  // namespace vitrine
