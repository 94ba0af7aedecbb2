// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/v4l2_device.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vitrine {
namespace {

struct Known {
  const char* name;
  uint32_t fourcc;
  PixelFormat format;
  bool is_jpeg;
};

/// What is read, the cheapest for camera and model together first.
constexpr Known kKnown[] = {{"yuyv", V4L2_PIX_FMT_YUYV, PixelFormat::kYuyv8, false},
                            {"nv12", V4L2_PIX_FMT_NV12, PixelFormat::kNv12, false},
                            {"i420", V4L2_PIX_FMT_YUV420, PixelFormat::kI420, false},
                            {"rgb24", V4L2_PIX_FMT_RGB24, PixelFormat::kRgb8, false},
                            {"bgr24", V4L2_PIX_FMT_BGR24, PixelFormat::kBgr8, false},
                            {"mjpeg", V4L2_PIX_FMT_MJPEG, PixelFormat::kRgb8, true},
                            {"mjpeg", V4L2_PIX_FMT_JPEG, PixelFormat::kRgb8, true},
                            {"gray", V4L2_PIX_FMT_GREY, PixelFormat::kGray8, false}};

/// What the driver says of colour, by the rules of V4L2 for what it leaves open.
void SetColors(const v4l2_pix_format& format, FrameLayout* layout) {
  const bool is_hd = format.ycbcr_enc == V4L2_YCBCR_ENC_709 || (format.ycbcr_enc == V4L2_YCBCR_ENC_DEFAULT &&
                                                                format.colorspace == V4L2_COLORSPACE_REC709);
  const bool is_full =
      format.quantization == V4L2_QUANTIZATION_FULL_RANGE ||
      (format.quantization == V4L2_QUANTIZATION_DEFAULT && format.colorspace == V4L2_COLORSPACE_JPEG);
  layout->matrix = is_hd ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
  layout->range = is_full ? YuvRange::kFull : YuvRange::kLimited;
}

}  // namespace

int V4l2Device::Control(unsigned long request, void* argument) const {
  int result = 0;
  do {
    result = ioctl(descriptor_, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

std::string V4l2Device::Fail(const char* what) const {
  return path_ + ": " + what + ": " + std::strerror(errno);
}

std::string V4l2Device::Open(const std::string& path, const CameraWish& wish) {
  path_ = path;
  descriptor_ = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) return path_ + ": " + std::strerror(errno);
  v4l2_capability capability = {};
  std::string wrong;
  if (Control(VIDIOC_QUERYCAP, &capability) < 0) {
    wrong = path_ + ": is not a V4L2 camera";
  } else if (const uint32_t can = capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps
                                                                                 : capability.capabilities;
             (can & V4L2_CAP_VIDEO_CAPTURE) == 0 || (can & V4L2_CAP_STREAMING) == 0) {
    wrong = path_ + ": does not stream single-planar video";
  } else {
    wrong = Negotiate(wish);
  }
  if (wrong.empty()) {
    AskForRate(wish.fps);
    wrong = MapBuffers();
  }
  if (!wrong.empty()) Close();
  return wrong;
}

/// Asks for each format in turn until the driver gives what it was asked for. Sizes are the nearest that it
/// has.
std::string V4l2Device::Negotiate(const CameraWish& wish) {
  for (const Known& known : kKnown) {
    if (!wish.format.empty() && wish.format != known.name) continue;
    v4l2_format format = {};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    format.fmt.pix.width = static_cast<uint32_t>(wish.width);
    format.fmt.pix.height = static_cast<uint32_t>(wish.height);
    format.fmt.pix.pixelformat = known.fourcc;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    if (Control(VIDIOC_S_FMT, &format) < 0) {
      if (errno == EINVAL) continue;
      return Fail("cannot set a format");
    }
    const v4l2_pix_format& pix = format.fmt.pix;
    if (pix.pixelformat != known.fourcc || pix.width > 16384 || pix.height > 16384) continue;
    layout_ = PackedLayout(known.format, static_cast<int>(pix.width), static_cast<int>(pix.height));
    if (pix.bytesperline > 0 && !known.is_jpeg) layout_.stride_bytes = static_cast<int>(pix.bytesperline);
    layout_.is_jpeg = known.is_jpeg;
    SetColors(pix, &layout_);
    return "";
  }
  return path_ + (wish.format.empty()
                      ? ": has no format that is read (yuyv, nv12, i420, rgb24, bgr24, mjpeg, gray)"
                      : ": has no " + wish.format);
}

void V4l2Device::AskForRate(int fps) {
  v4l2_streamparm parameters = {};
  parameters.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  if (fps <= 0 || Control(VIDIOC_G_PARM, &parameters) < 0) return;
  parameters.parm.capture.timeperframe = {1, static_cast<uint32_t>(fps)};
  Control(VIDIOC_S_PARM, &parameters);  // the pipeline keeps to it where the camera does not
}

std::string V4l2Device::MapBuffers() {
  v4l2_requestbuffers request = {};
  request.count = kBuffers;
  request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  request.memory = V4L2_MEMORY_MMAP;
  if (Control(VIDIOC_REQBUFS, &request) < 0) return Fail("cannot have buffers");
  if (request.count < kBuffers) return path_ + ": has not four buffers";
  buffers_ = std::min(request.count, kMostBuffers);
  for (unsigned i = 0; i < buffers_; ++i) {
    v4l2_buffer buffer = {};
    buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.memory = V4L2_MEMORY_MMAP;
    buffer.index = i;
    if (Control(VIDIOC_QUERYBUF, &buffer) < 0) return Fail("cannot map a buffer");
    void* data =
        mmap(nullptr, buffer.length, PROT_READ, MAP_SHARED, descriptor_, static_cast<off_t>(buffer.m.offset));
    if (data == MAP_FAILED) return Fail("cannot map a buffer");
    maps_[i] = {data, buffer.length};
    if (buffer.length < layout_.bytes()) return path_ + ": its buffers are smaller than its frames";
    if (!Queue(i)) return Fail("cannot queue a buffer");
  }
  int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  return Control(VIDIOC_STREAMON, &type) < 0 ? Fail("cannot start to stream") : "";
}

void V4l2Device::Close() {
  for (Map& map : maps_) {
    if (map.data != nullptr) munmap(map.data, map.size);
    map = {};
  }
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

bool V4l2Device::Dequeue(v4l2_buffer* buffer) {
  *buffer = {};
  buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  buffer->memory = V4L2_MEMORY_MMAP;
  return Control(VIDIOC_DQBUF, buffer) == 0 && buffer->index < buffers_;
}

bool V4l2Device::Queue(unsigned index) {
  v4l2_buffer buffer = {};
  buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  buffer.memory = V4L2_MEMORY_MMAP;
  buffer.index = index;
  return Control(VIDIOC_QBUF, &buffer) == 0;
}

}  // namespace vitrine
