// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/sources/v4l2_device.h"

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

/// The supported formats, the fastest for camera and model together first.
constexpr Known kKnown[] = {{"yuyv", V4L2_PIX_FMT_YUYV, PixelFormat::kYuyv8, false},
                            {"nv12", V4L2_PIX_FMT_NV12, PixelFormat::kNv12, false},
                            {"i420", V4L2_PIX_FMT_YUV420, PixelFormat::kI420, false},
                            {"rgb24", V4L2_PIX_FMT_RGB24, PixelFormat::kRgb8, false},
                            {"bgr24", V4L2_PIX_FMT_BGR24, PixelFormat::kBgr8, false},
                            {"mjpeg", V4L2_PIX_FMT_MJPEG, PixelFormat::kRgb8, true},
                            {"mjpeg", V4L2_PIX_FMT_JPEG, PixelFormat::kRgb8, true},
                            {"gray", V4L2_PIX_FMT_GREY, PixelFormat::kGray8, false}};

// Color matrix and range as the driver reports them, with V4L2's defaults for what it leaves open.
YuvMatrix MatrixOf(uint32_t encoding, uint32_t color_space) {
  const bool is_hd = encoding == V4L2_YCBCR_ENC_709 ||
                     (encoding == V4L2_YCBCR_ENC_DEFAULT && color_space == V4L2_COLORSPACE_REC709);
  return is_hd ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
}

YuvRange RangeOf(uint32_t quantization, uint32_t color_space) {
  const bool is_full = quantization == V4L2_QUANTIZATION_FULL_RANGE ||
                       (quantization == V4L2_QUANTIZATION_DEFAULT && color_space == V4L2_COLORSPACE_JPEG);
  return is_full ? YuvRange::kFull : YuvRange::kLimited;
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
  std::string wrong = FindInterface();
  if (wrong.empty()) wrong = Negotiate(wish);
  if (wrong.empty()) {
    AskForRate(wish.fps);
    wrong = MapBuffers();
  }
  if (!wrong.empty()) Close();
  return wrong;
}

std::string V4l2Device::FindInterface() {
  v4l2_capability capability = {};
  if (Control(VIDIOC_QUERYCAP, &capability) < 0) return path_ + ": not a V4L2 camera";
  const uint32_t can =
      capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps : capability.capabilities;
  const bool is_single_planar = (can & V4L2_CAP_VIDEO_CAPTURE) != 0;
  if ((!is_single_planar && (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) == 0) || (can & V4L2_CAP_STREAMING) == 0)
    return path_ + ": this device does not capture video";
  type_ = is_single_planar ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
  return "";
}

/// Returns 0 or errno; EINVAL where the driver does not have this format in one piece of memory. The driver chooses the
/// nearest size that it has.
int V4l2Device::Ask(uint32_t fourcc, const CameraWish& wish, Agreed* agreed) const {
  v4l2_format format = {};
  format.type = type_;
  const auto ask = [&](auto* pixels) {
    pixels->width = static_cast<uint32_t>(wish.width);
    pixels->height = static_cast<uint32_t>(wish.height);
    pixels->pixelformat = fourcc;
    pixels->field = V4L2_FIELD_NONE;
    if (Control(VIDIOC_S_FMT, &format) < 0) return errno;
    *agreed = {pixels->pixelformat, pixels->width,     pixels->height,      0,
               pixels->colorspace,  pixels->ycbcr_enc, pixels->quantization};
    return 0;
  };
  if (!is_multi_planar()) {
    const int error = ask(&format.fmt.pix);
    agreed->bytes_per_line = format.fmt.pix.bytesperline;
    return error;
  }
  const int error = ask(&format.fmt.pix_mp);
  agreed->bytes_per_line = format.fmt.pix_mp.plane_fmt[0].bytesperline;
  return error == 0 && format.fmt.pix_mp.num_planes != 1 ? EINVAL : error;
}

/// Asks for each format in turn until the driver accepts one.
std::string V4l2Device::Negotiate(const CameraWish& wish) {
  for (const Known& known : kKnown) {
    if (!wish.format.empty() && wish.format != known.name) continue;
    Agreed agreed = {};
    const int error = Ask(known.fourcc, wish, &agreed);
    if (error != 0 && error != EINVAL) return Fail("cannot set a format");
    if (error != 0 || agreed.fourcc != known.fourcc || agreed.width > 16384 || agreed.height > 16384)
      continue;
    layout_ = PackedLayout(known.format, static_cast<int>(agreed.width), static_cast<int>(agreed.height));
    layout_.is_jpeg = known.is_jpeg;
    if (agreed.bytes_per_line > 0 && !known.is_jpeg)
      layout_.stride_bytes = static_cast<int>(agreed.bytes_per_line);
    layout_.matrix = MatrixOf(agreed.encoding, agreed.color_space);
    layout_.range = RangeOf(agreed.quantization, agreed.color_space);
    return "";
  }
  return path_ + (wish.format.empty()
                      ? ": has no supported format (yuyv, nv12, i420, rgb24, bgr24, mjpeg, gray)"
                      : ": does not offer " + wish.format);
}

void V4l2Device::AskForRate(int fps) {
  v4l2_streamparm parameters = {};
  parameters.type = type_;
  if (fps <= 0 || Control(VIDIOC_G_PARM, &parameters) < 0) return;
  parameters.parm.capture.timeperframe = {1, static_cast<uint32_t>(fps)};
  Control(VIDIOC_S_PARM, &parameters);  // the pipeline enforces the rate if the camera does not
}

std::string V4l2Device::MapBuffers() {
  v4l2_requestbuffers request = {};
  request.count = kBuffers;
  request.type = type_;
  request.memory = V4L2_MEMORY_MMAP;
  if (Control(VIDIOC_REQBUFS, &request) < 0) return Fail("cannot allocate buffers");
  if (request.count < kBuffers) return path_ + ": has fewer than four buffers";
  buffers_ = std::min(request.count, kMostBuffers);
  for (unsigned i = 0; i < buffers_; ++i) {
    v4l2_plane plane = {};
    v4l2_buffer buffer = BufferOf(i, &plane);
    if (Control(VIDIOC_QUERYBUF, &buffer) < 0) return Fail("cannot map a buffer");
    const size_t size = is_multi_planar() ? plane.length : buffer.length;
    const uint32_t offset = is_multi_planar() ? plane.m.mem_offset : buffer.m.offset;
    void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor_, static_cast<off_t>(offset));
    if (data == MAP_FAILED) return Fail("cannot map a buffer");
    maps_[i] = {data, size, 0};
    if (size < layout_.bytes()) return path_ + ": its buffers are smaller than its frames";
    if (!Queue(i)) return Fail("cannot queue a buffer");
  }
  int type = type_;
  return Control(VIDIOC_STREAMON, &type) < 0 ? Fail("cannot start streaming") : "";
}

void V4l2Device::Close() {
  for (Map& map : maps_) {
    if (map.data != nullptr) munmap(map.data, map.size);
    map = {};
  }
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

v4l2_buffer V4l2Device::BufferOf(unsigned index, v4l2_plane* plane) const {
  v4l2_buffer buffer = {};
  buffer.type = type_;
  buffer.memory = V4L2_MEMORY_MMAP;
  buffer.index = index;
  if (is_multi_planar()) {
    buffer.m.planes = plane;
    buffer.length = 1;
  }
  return buffer;
}

bool V4l2Device::Dequeue(v4l2_buffer* buffer) {
  v4l2_plane plane = {};
  *buffer = BufferOf(0, &plane);
  if (Control(VIDIOC_DQBUF, buffer) != 0 || buffer->index >= buffers_) return false;
  if (is_multi_planar()) {
    maps_[buffer->index].offset = std::min(plane.data_offset, plane.bytesused);
    buffer->bytesused = plane.bytesused - maps_[buffer->index].offset;
    buffer->m.planes = nullptr;
  }
  return true;
}

bool V4l2Device::Queue(unsigned index) {
  v4l2_plane plane = {};
  v4l2_buffer buffer = BufferOf(index, &plane);
  return Control(VIDIOC_QBUF, &buffer) == 0;
}

}  // namespace vitrine
