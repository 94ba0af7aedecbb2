// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/png_file.h"

#include <cstdio>

#include "platforms/linux/command.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include "stb_image_write.h"

namespace vitrine {

void WritePng(const Picture& picture, const std::string& path) {
  std::vector<uint8_t> bytes;
  const auto append = [](void* context, void* data, int size) {
    const uint8_t* from = static_cast<const uint8_t*>(data);
    static_cast<std::vector<uint8_t>*>(context)->insert(static_cast<std::vector<uint8_t>*>(context)->end(),
                                                        from, from + size);
  };
  if (stbi_write_png_to_func(append, &bytes, picture.width, picture.height, 3, picture.rgb.data(),
                             3 * picture.width) == 0)
    throw Failure(path + ": not enough memory for the picture");
  const std::string part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) throw Failure(path + ": cannot be written");
  bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  written = std::fclose(file) == 0 && written;
  if (written && std::rename(part.c_str(), path.c_str()) == 0) return;
  std::remove(part.c_str());
  throw Failure(path + ": cannot be written");
}

}  // namespace vitrine
