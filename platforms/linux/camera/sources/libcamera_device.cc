// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/sources/libcamera_device.h"

#include <linux/dma-buf.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

struct Known {
  const char* name;
  libcamera::PixelFormat wanted;
  PixelFormat format;
  bool is_jpeg;
};

/// The supported formats, in V4l2Device's order. libcamera names RGB from the highest byte of a word, as DRM does: its
/// RGB888 is stored as B, G, R.
constexpr Known kKnown[] = {{"yuyv", libcamera::formats::YUYV, PixelFormat::kYuyv8, false},
                            {"nv12", libcamera::formats::NV12, PixelFormat::kNv12, false},
                            {"i420", libcamera::formats::YUV420, PixelFormat::kI420, false},
                            {"rgb24", libcamera::formats::BGR888, PixelFormat::kRgb8, false},
                            {"bgr24", libcamera::formats::RGB888, PixelFormat::kBgr8, false},
                            {"mjpeg", libcamera::formats::MJPEG, PixelFormat::kRgb8, true},
                            {"gray", libcamera::formats::R8, PixelFormat::kGray8, false}};

std::string Because(const char* what, int error) { return std::string(what) + ": " + std::strerror(-error); }

FrameLayout LayoutOf(const Known& known, const libcamera::StreamConfiguration& stream) {
  FrameLayout layout =
      PackedLayout(known.format, static_cast<int>(stream.size.width), static_cast<int>(stream.size.height));
  layout.is_jpeg = known.is_jpeg;
  if (stream.stride > 0 && !known.is_jpeg) layout.stride_bytes = static_cast<int>(stream.stride);
  if (!stream.colorSpace) return layout;
  using libcamera::ColorSpace;
  if (stream.colorSpace->ycbcrEncoding == ColorSpace::YcbcrEncoding::Rec709) {
    layout.matrix = YuvMatrix::kBt709;
  }
  if (stream.colorSpace->range == ColorSpace::Range::Full) layout.range = YuvRange::kFull;
  return layout;
}

/// The camera that `id` names; null and what is wrong where there is no such, or more than one.
std::shared_ptr<libcamera::Camera> Find(const libcamera::CameraManager& manager, const std::string& id,
                                        std::string* wrong) {
  const auto cameras = manager.cameras();
  if (cameras.empty()) {
    *wrong = "libcamera finds no camera; LIBCAMERA_LOG_LEVELS=*:INFO lets it say more";
    return nullptr;
  }
  std::shared_ptr<libcamera::Camera> found;
  std::string names;
  for (size_t i = 0; i < cameras.size(); ++i) {
    const std::string& name = cameras[i]->id();
    if (id == name || id == std::to_string(i) || (id.empty() && i == 0)) return cameras[i];
    names += (i > 0 ? ", " : "") + name;
    if (name.find(id) == std::string::npos) continue;
    if (found != nullptr) *wrong = "--libcamera " + id + ": more than one camera has this in its name";
    found = cameras[i];
  }
  if (found == nullptr) *wrong = "--libcamera " + id + ": there is no such camera, but " + names;
  return wrong->empty() ? found : nullptr;
}

}  // namespace

LibcameraDevice::LibcameraDevice() {
  setenv("LIBCAMERA_LOG_LEVELS", "*:ERROR", 0);  // or what the user wants to hear
  manager_ = std::make_unique<libcamera::CameraManager>();
  event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0) throw Failure("cannot create an event");
  if (const int error = manager_->start(); error < 0) {
    close(event_);
    throw Failure(Because("cannot start libcamera", error));
  }
}

LibcameraDevice::~LibcameraDevice() {
  Close();
  manager_->stop();
  close(event_);
}

std::string LibcameraDevice::Open(const std::string& id, const CameraWish& wish) {
  std::string wrong;
  std::shared_ptr<libcamera::Camera> camera = Find(*manager_, id, &wrong);
  if (camera == nullptr) return wrong;
  if (const int error = camera->acquire(); error < 0) return Because("cannot have the camera", error);
  camera_ = std::move(camera);
  gone_ = false;
  camera_->requestCompleted.connect(this, &LibcameraDevice::OnCompleted);
  camera_->disconnected.connect(this, &LibcameraDevice::OnDisconnected);
  wrong = Negotiate(wish);
  if (wrong.empty()) wrong = Allocate();
  if (wrong.empty()) wrong = Start(wish.fps);
  if (!wrong.empty()) {
    wrong = camera_->id() + ": " + wrong;
    Close();
  }
  return wrong;
}

/// Asks for each format in turn until the camera gives what it was asked for, in the nearest size.
std::string LibcameraDevice::Negotiate(const CameraWish& wish) {
  configuration_ = camera_->generateConfiguration({libcamera::StreamRole::Viewfinder});
  if (configuration_ == nullptr || configuration_->empty()) return "has no viewfinder";
  const libcamera::StreamConfiguration offered = configuration_->at(0);
  for (const Known& known : kKnown) {
    if (!wish.format.empty() && wish.format != known.name) continue;
    libcamera::StreamConfiguration& stream = configuration_->at(0);
    stream = offered;
    stream.pixelFormat = known.wanted;
    stream.size = {static_cast<unsigned>(wish.width), static_cast<unsigned>(wish.height)};
    stream.bufferCount = std::clamp(offered.bufferCount, kBuffers, kMostBuffers);
    if (configuration_->validate() == libcamera::CameraConfiguration::Invalid) continue;
    if (stream.pixelFormat != known.wanted || stream.size.width > 16384 || stream.size.height > 16384) {
      continue;
    }
    const int error = camera_->configure(configuration_.get());
    if (error < 0) return Because("cannot set a format", error);
    layout_ = LayoutOf(known, stream);
    return "";
  }
  return wish.format.empty() ? "has no format that is read (yuyv, nv12, i420, rgb24, bgr24, mjpeg, gray)"
                             : "has no " + wish.format;
}

std::string LibcameraDevice::Allocate() {
  libcamera::Stream* stream = configuration_->at(0).stream();
  allocator_ = std::make_unique<libcamera::FrameBufferAllocator>(camera_);
  if (const int error = allocator_->allocate(stream); error < 0)
    return Because("cannot allocate buffers", error);
  for (const auto& buffer : allocator_->buffers(stream)) {
    if (requests_.size() == kMostBuffers) break;
    if (std::string wrong = MapBuffer(*buffer); !wrong.empty()) return wrong;
    auto request = camera_->createRequest(requests_.size());
    if (request == nullptr || request->addBuffer(stream, buffer.get()) < 0) return "cannot make a request";
    requests_.push_back(std::move(request));
  }
  return requests_.size() < kBuffers ? "has fewer than four buffers" : "";
}

/// Maps a buffer, whose planes may share one dmabuf or have several.
std::string LibcameraDevice::MapBuffer(const libcamera::FrameBuffer& buffer) {
  Picture& picture = pictures_.emplace_back();
  picture.layout = layout_;
  const auto& planes = buffer.planes();
  picture.pixels = planes.empty() ? nullptr : MapPlane(buffer, 0, &picture);
  if (picture.pixels == nullptr) return "cannot map a buffer";
  if (planes.size() == 1) {
    return planes[0].length < layout_.bytes() ? "its buffers are smaller than its frames" : "";
  }
  const ImageView view = layout_.ViewOf(picture.pixels);
  const auto chroma_rows = static_cast<size_t>((layout_.height + 1) / 2);
  for (size_t i = 1; i < planes.size() && i <= std::size(picture.layout.chroma); ++i) {
    const uint8_t* plane = MapPlane(buffer, i, &picture);
    if (plane == nullptr) return "cannot map a buffer";
    picture.layout.chroma[i - 1] = plane;
    if (planes[i].length < static_cast<size_t>(view.chroma_stride_bytes) * chroma_rows) {
      return "its buffers are smaller than its frames";
    }
  }
  const size_t luma = static_cast<size_t>(layout_.stride_bytes) * static_cast<size_t>(layout_.height);
  return planes[0].length < luma ? "its buffers are smaller than its frames" : "";
}

/// Maps a plane and returns its address; null on failure.
const uint8_t* LibcameraDevice::MapPlane(const libcamera::FrameBuffer& buffer, size_t plane,
                                         Picture* picture) const {
  const auto& planes = buffer.planes();
  const int descriptor = planes[plane].fd.get();
  size_t size = 0;
  for (const auto& other : planes) {
    if (other.fd.get() == descriptor) size = std::max(size, size_t{other.offset} + other.length);
  }
  for (const Map& map : picture->maps) {
    if (map.descriptor == descriptor) return static_cast<const uint8_t*>(map.data) + planes[plane].offset;
  }
  const off_t end = lseek(descriptor, 0, SEEK_END);
  if (end < 0 || static_cast<size_t>(end) < size) return nullptr;
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) return nullptr;
  picture->maps.push_back({descriptor, data, size});
  return static_cast<const uint8_t*>(data) + planes[plane].offset;
}

std::string LibcameraDevice::Start(int fps) {
  libcamera::ControlList controls(camera_->controls());
  if (fps > 0 && camera_->controls().count(libcamera::controls::FrameDurationLimits.id()) > 0) {
    const int64_t period_us = 1'000'000 / fps;  // the pipeline enforces the rate if the camera does not
    controls.set(libcamera::controls::FrameDurationLimits,
                 libcamera::Span<const int64_t, 2>({period_us, period_us}));
  }
  if (const int error = camera_->start(&controls); error < 0) return Because("cannot start streaming", error);
  for (const auto& request : requests_) {
    const int error = camera_->queueRequest(request.get());
    if (error < 0) return Because("cannot queue a buffer", error);
  }
  return "";
}

void LibcameraDevice::Close() {
  if (camera_ == nullptr) return;
  camera_->stop();  // completes the queued requests
  camera_->requestCompleted.disconnect(this);
  camera_->disconnected.disconnect(this);
  requests_.clear();
  for (const Picture& picture : pictures_) {
    for (const Map& map : picture.maps) munmap(map.data, map.size);
  }
  pictures_.clear();
  allocator_.reset();
  configuration_.reset();
  camera_->release();
  camera_.reset();
  waiting_ = 0;
}

int LibcameraDevice::Dequeue() {
  const std::lock_guard lock(mutex_);
  if (waiting_ == 0) {
    uint64_t count;
    [[maybe_unused]] const ssize_t cleared = read(event_, &count, sizeof count);
    return -1;
  }
  const int index = completed_[oldest_];
  oldest_ = (oldest_ + 1) % completed_.size();
  --waiting_;
  return index;
}

bool LibcameraDevice::Queue(int index) {
  libcamera::Request* request = requests_[static_cast<size_t>(index)].get();
  request->reuse(libcamera::Request::ReuseBuffers);
  return camera_->queueRequest(request) == 0;
}

/// Synchronizes the CPU's caches with a dmabuf (linux/dma-buf.h). Buffers without caches refuse; that is harmless.
void LibcameraDevice::Synchronize(int index, bool begins) const {
  dma_buf_sync sync = {};
  sync.flags = DMA_BUF_SYNC_READ | (begins ? DMA_BUF_SYNC_START : DMA_BUF_SYNC_END);
  for (const Map& map : pictures_[static_cast<size_t>(index)].maps) {
    ioctl(map.descriptor, DMA_BUF_IOCTL_SYNC, &sync);
  }
}

/// Runs on a thread of libcamera.
void LibcameraDevice::OnCompleted(libcamera::Request* request) {
  const std::lock_guard lock(mutex_);
  completed_[(oldest_ + waiting_) % completed_.size()] = static_cast<int>(request->cookie());
  ++waiting_;
  Wake();
}

void LibcameraDevice::OnDisconnected() {
  gone_ = true;
  Wake();
}

void LibcameraDevice::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof one);
}

}  // namespace vitrine
