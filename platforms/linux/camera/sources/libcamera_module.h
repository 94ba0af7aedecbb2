// SPDX-License-Identifier: Apache-2.0
// What the command and its module for libcamera agree on. libcamera brings thirty libraries and 6 MB of
// resident memory, so only who asks for it loads it.
#pragma once

#include <string>

#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

/// The module's one function, `OpenLibcameraSource`: a source as OpenLibcamera() says, the caller's to
/// delete; or null with the reason in `wrong`. Nothing is thrown across.
using OpenLibcameraFunction = FrameSource*(const std::string& id, const CameraWish& wish, int stop,
                                           std::string* wrong) noexcept;

}  // namespace vitrine
