// SPDX-License-Identifier: Apache-2.0
// Loads the libcamera module, which is a separate library so that only --libcamera pays for it.
#include <dlfcn.h>

#include <filesystem>

#include "platforms/linux/camera/sources/source.h"
#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

// Returns the module's path relative to the program: the same in the build folder and where it is installed.
std::filesystem::path ModulePath() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return program.parent_path().parent_path() / VITRINE_LIBCAMERA_MODULE;
}

}  // namespace

std::unique_ptr<FrameSource> OpenLibcamera(const std::string& id, const CameraWish& wish, int stop) {
  const std::filesystem::path path = ModulePath();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw Failure(
        "--libcamera: this build has no libcamera; use a pipe: rpicam-vid -n -t 0 --codec yuv420 --width 640 "
        "--height 480 -o - | vitrine camera MODEL.vit --stdin 640x480:i420");
  }
  // Never unloaded: libcamera's threads outlive the source.
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) throw Failure(std::string("--libcamera: ") + dlerror());
  const auto open = reinterpret_cast<OpenLibcameraFunction*>(dlsym(module, "OpenLibcameraSource"));
  if (open == nullptr) throw Failure(std::string("--libcamera: ") + dlerror());
  std::string wrong;
  std::unique_ptr<FrameSource> source(open(id, wish, stop, &wrong));
  if (source == nullptr) throw Failure(wrong);
  return source;
}

}  // namespace vitrine
