// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live/snapshot.h"

#include <algorithm>

#include "pages/pages.h"

namespace vitrine {
namespace {

constexpr int kMaxWidth = 1280, kQuality = 80;

uint8_t Clamp(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

/// Converts Y, U and V to `rgb` in 16.16 fixed point.
class YuvToRgb {
 public:
  YuvToRgb(YuvMatrix matrix, YuvRange range) {
    const double red = matrix == YuvMatrix::kBt709 ? 0.2126 : 0.299;
    const double blue = matrix == YuvMatrix::kBt709 ? 0.0722 : 0.114;
    const double green = 1 - red - blue;
    const bool full = range == YuvRange::kFull;
    const double luma = full ? 1 : 255.0 / 219, chroma = full ? 1 : 255.0 / 224;
    const auto fixed = [](double factor) { return static_cast<int>(factor * 65536 + 0.5); };
    black_ = full ? 0 : 16;
    y_ = fixed(luma);
    v_to_red_ = fixed(2 * (1 - red) * chroma);
    u_to_green_ = fixed(2 * (1 - blue) * blue / green * chroma);
    v_to_green_ = fixed(2 * (1 - red) * red / green * chroma);
    u_to_blue_ = fixed(2 * (1 - blue) * chroma);
  }

  void operator()(int y, int u, int v, uint8_t* rgb) const {
    const int luma = (y - black_) * y_ + 32768;
    rgb[0] = Clamp((luma + v_to_red_ * (v - 128)) >> 16);
    rgb[1] = Clamp((luma - u_to_green_ * (u - 128) - v_to_green_ * (v - 128)) >> 16);
    rgb[2] = Clamp((luma + u_to_blue_ * (u - 128)) >> 16);
  }

 private:
  int black_, y_, v_to_red_, u_to_green_, v_to_green_, u_to_blue_;
};

/// Writes every `step`th pixel of row `y` to `rgb`.
void ReadRow(const ImageView& view, const YuvToRgb& to_rgb, int y, int step, uint8_t* rgb) {
  const uint8_t* row = view.pixels + y * view.stride_bytes;
  const ptrdiff_t chroma = y / 2 * view.chroma_stride_bytes;
  for (int x = 0; x < view.width; x += step, rgb += 3) {
    switch (view.format) {
      case PixelFormat::kRgb8:
        std::copy_n(row + 3 * x, 3, rgb);
        break;
      case PixelFormat::kRgba8:
        std::copy_n(row + 4 * x, 3, rgb);
        break;
      case PixelFormat::kBgr8:
        std::reverse_copy(row + 3 * x, row + 3 * x + 3, rgb);
        break;
      case PixelFormat::kGray8:
        std::fill_n(rgb, 3, row[x]);
        break;
      case PixelFormat::kYuyv8:
        to_rgb(row[2 * x], row[x / 2 * 4 + 1], row[x / 2 * 4 + 3], rgb);
        break;
      case PixelFormat::kNv12:
        to_rgb(row[x], view.chroma[0][chroma + x / 2 * 2], view.chroma[0][chroma + x / 2 * 2 + 1], rgb);
        break;
      case PixelFormat::kNv21:
        to_rgb(row[x], view.chroma[0][chroma + x / 2 * 2 + 1], view.chroma[0][chroma + x / 2 * 2], rgb);
        break;
      case PixelFormat::kI420:
        to_rgb(row[x], view.chroma[0][chroma + x / 2], view.chroma[1][chroma + x / 2], rgb);
        break;
    }
  }
}

/// Returns width and height from the JPEG's frame header (SOF).
std::pair<int, int> JpegSize(const uint8_t* bytes, size_t size) {
  for (size_t at = 2; at + 9 <= size && bytes[at] == 0xff;) {
    const uint8_t marker = bytes[at + 1];
    const bool is_frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame) return {bytes[at + 7] << 8 | bytes[at + 8], bytes[at + 5] << 8 | bytes[at + 6]};
    at += marker == 0xff ? 1u : 2u + static_cast<unsigned>(bytes[at + 2] << 8 | bytes[at + 3]);
  }
  return {0, 0};
}

}  // namespace

std::pair<int, int> SizeOf(const Frame& frame) {
  if (frame.layout.is_jpeg) return JpegSize(frame.pixels, frame.size);
  return {frame.layout.width, frame.layout.height};
}

std::string EncodeJpeg(const FrameLayout& layout, const uint8_t* pixels, size_t size) {
  if (layout.is_jpeg) return std::string(pixels, pixels + size);
  const ImageView view = layout.ViewOf(pixels);
  const YuvToRgb to_rgb(view.matrix, view.range);
  const int step = (view.width + kMaxWidth - 1) / kMaxWidth;
  const int width = (view.width + step - 1) / step, height = (view.height + step - 1) / step;
  std::vector<uint8_t> rgb(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  for (int y = 0; y < height; ++y)
    ReadRow(view, to_rgb, y * step, step, rgb.data() + ptrdiff_t{3} * y * width);
  return EncodeJpeg(rgb, width, height, kQuality);
}

void Snapshots::Offer(const Decision& decision) {
  {
    const std::lock_guard lock(mutex_);
    newest_ = decision.number;
    if (!wanted_.IsThere()) return;
    const Frame& frame = decision.frame;
    copy_.frame = decision.number;
    copy_.layout = frame.layout;
    copy_.bytes.assign(frame.pixels, frame.pixels + frame.size);
  }
  offered_.notify_all();
}

/// Moves the newest frame's copy to taken_; waits for one if needed. Returns false after a second.
bool Snapshots::TakeCopy() {
  std::unique_lock lock(mutex_);
  const auto is_newest = [this](const Copy& copy) { return newest_ >= 0 && copy.frame == newest_; };
  if (!offered_.wait_for(lock, std::chrono::seconds(1),
                         [&] { return is_newest(taken_) || is_newest(copy_); }))
    return false;
  if (is_newest(taken_)) return true;
  std::swap(copy_, taken_);
  jpeg_.reset();
  return true;
}

std::shared_ptr<const std::string> Snapshots::Newest() {
  wanted_.Show();
  const std::lock_guard lock(encoding_);
  const bool has_come = TakeCopy();
  wanted_.Show();  // a reader that waited in vain wants the next one
  if (!has_come) return nullptr;
  if (jpeg_ == nullptr) {
    jpeg_ = std::make_shared<const std::string>(
        EncodeJpeg(taken_.layout, taken_.bytes.data(), taken_.bytes.size()));
  }
  return jpeg_->empty() ? nullptr : jpeg_;
}

}  // namespace vitrine
