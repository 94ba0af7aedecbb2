// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/sources/source.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

namespace vitrine {
namespace {

constexpr int kSilenceMs = 60'000;

int BytesOfPixel(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb8:
    case PixelFormat::kBgr8:
      return 3;
    case PixelFormat::kRgba8:
      return 4;
    case PixelFormat::kYuyv8:
      return 2;
    default:
      return 1;
  }
}

bool HasPlanes(PixelFormat format) { return format == PixelFormat::kNv12 || format == PixelFormat::kI420; }

}  // namespace

FrameLayout PackedLayout(PixelFormat format, int width, int height) {
  FrameLayout layout;
  layout.format = format;
  layout.width = width;
  layout.height = height;
  const int even = format == PixelFormat::kYuyv8 ? (width + 1) / 2 * 2 : width;
  layout.stride_bytes = even * BytesOfPixel(format);
  return layout;
}

size_t FrameLayout::bytes() const {
  if (is_jpeg) return 0;
  const size_t luma = static_cast<size_t>(stride_bytes) * static_cast<size_t>(height);
  if (!HasPlanes(format)) return luma;
  return luma + 2 * static_cast<size_t>((stride_bytes + 1) / 2) * static_cast<size_t>((height + 1) / 2);
}

ImageView FrameLayout::ViewOf(const uint8_t* pixels) const {
  ImageView view = {pixels, width, height, stride_bytes, format};
  view.matrix = matrix;
  view.range = range;
  if (!HasPlanes(format)) return view;
  const int half = (stride_bytes + 1) / 2;
  view.chroma[0] = chroma[0] != nullptr ? chroma[0] : pixels + ptrdiff_t{stride_bytes} * height;
  view.chroma[1] = chroma[1] != nullptr ? chroma[1] : view.chroma[0] + ptrdiff_t{half} * ((height + 1) / 2);
  view.chroma_stride_bytes = format == PixelFormat::kNv12 ? 2 * half : half;
  return view;
}

void Notice(const char* format, ...) {
  std::fputs("vitrine: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
}

Wait WaitFor(int descriptor, int stop, int timeout_ms) {
  pollfd polled[2] = {{stop, POLLIN, 0}, {descriptor, POLLIN, 0}};
  bool is_silent = false;
  for (int left = timeout_ms; timeout_ms < 0 || left > 0;) {
    const int piece = timeout_ms < 0 ? kSilenceMs : std::min(left, kSilenceMs);
    const int ready = poll(polled, 2, piece);
    if (polled[0].revents != 0 && ready > 0) return Wait::kStopped;
    if (ready > 0) return Wait::kReady;
    if (ready < 0 && errno != EINTR) return Wait::kStopped;
    if (ready < 0) continue;
    left -= piece;
    if (timeout_ms < 0 && !is_silent) Notice("no frame for a minute; still waiting");
    is_silent = true;
  }
  return Wait::kTimeout;
}

}  // namespace vitrine
