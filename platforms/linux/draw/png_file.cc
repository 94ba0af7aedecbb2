// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/draw/png_file.h"

#include "platforms/linux/cli/failure.h"
#include "platforms/linux/cli/whole_file.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include "stb_image_write.h"

namespace vitrine {

void WritePng(const Picture& picture, const std::string& path) {
  std::string bytes;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<size_t>(size));
  };
  if (stbi_write_png_to_func(append, &bytes, picture.width, picture.height, 3, picture.rgb.data(),
                             3 * picture.width) == 0)
    throw Failure(path + ": not enough memory for the picture");
  WriteWholeFile(bytes, path);
}

}  // namespace vitrine
