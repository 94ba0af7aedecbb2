// SPDX-License-Identifier: Apache-2.0
// A folder of photos in a loop, instead of a camera.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "platforms/linux/camera/sources/source.h"
#include "platforms/linux/cli/failure.h"
#include "platforms/linux/photos/photo_set.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FilesOf(const fs::path& folder) {
  std::error_code error;
  if (fs::is_regular_file(folder, error)) {
    throw Failure(folder.string() +
                  ": not a folder of photos. For a film use a pipe: ffmpeg -i FILM -f yuv4mpegpipe "
                  "-pix_fmt yuv420p - | vitrine camera MODEL.vit --stdin y4m");
  }
  return PhotosDirectlyIn(folder);
}

class FolderSource final : public FrameSource {
 public:
  FolderSource(std::vector<std::string> paths, int fps, int stop)
      : paths_(std::move(paths)),
        period_(fps > 0 ? FrameClock::duration(std::chrono::seconds(1)) / fps : FrameClock::duration(0)),
        stop_(stop) {}

  Arrival Next(Frame* frame) override {
    using std::chrono::milliseconds;
    const auto left = std::chrono::duration_cast<milliseconds>(due_ - FrameClock::now()) + milliseconds(1);
    if (WaitFor(-1, stop_, std::clamp(static_cast<int>(left.count()), 1, 10'000)) == Wait::kStopped)
      return Arrival::kEnd;
    due_ = FrameClock::now() + period_;
    const Result<Image> image = Image::Load(paths_[next_++ % paths_.size()].c_str());
    if (!image.ok()) {
      reason_ = "unreadable photo";
      if (++unreadable_ >= paths_.size()) throw Failure(image.status().message());
      return Arrival::kDamaged;
    }
    unreadable_ = 0;
    Fill(image.value(), frame);
    return Arrival::kFrame;
  }

  void GiveBack(const Frame& frame) override { slots_.GiveBack(frame.slot); }

 private:
  void Fill(const Image& image, Frame* frame) {
    frame->layout = PackedLayout(PixelFormat::kRgb8, image.width(), image.height());
    frame->slot = slots_.Take();
    frame->size = frame->layout.bytes();
    std::vector<uint8_t>& bytes = slots_.bytes(frame->slot);
    if (bytes.size() < frame->size) bytes.resize(frame->size);
    std::memcpy(bytes.data(), image.view().pixels, frame->size);
    frame->pixels = bytes.data();
    frame->time = FrameClock::now();
  }

  std::vector<std::string> paths_;
  FrameClock::duration period_;
  FrameClock::time_point due_ = FrameClock::now();
  int stop_;
  size_t next_ = 0, unreadable_ = 0;
  Slots slots_;
};

}  // namespace

std::unique_ptr<FrameSource> OpenFolder(const std::string& folder, int fps, int stop) {
  return std::make_unique<FolderSource>(FilesOf(folder), fps, stop);
}

}  // namespace vitrine
