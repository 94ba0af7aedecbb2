// SPDX-License-Identifier: Apache-2.0
// In the place of libcamera_source.cc where libcamera was not there when this was built.
#include "platforms/linux/camera/source.h"
#include "platforms/linux/failure.h"

namespace vitrine {

std::unique_ptr<FrameSource> OpenLibcamera(const std::string&, const CameraWish&, int) {
  throw Failure(
      "--libcamera: this build is without libcamera; a pipe does: rpicam-vid -n -t 0 --codec yuv420 --width "
      "640 --height 480 -o - | vitrine camera MODEL.vit --stdin 640x480:i420");
}

}  // namespace vitrine
