// SPDX-License-Identifier: Apache-2.0
// PNG and BMP, by stb_image.
#include <algorithm>
#include <cstdlib>

namespace vitrine {
namespace {

/// The largest piece of memory that this thread's decoder may grow to: a PNG's data may inflate a thousand times, whatever
/// the size of the picture in its header.
thread_local size_t largest_piece = 0;

void* Reallocate(void* memory, size_t bytes) {
  return bytes > largest_piece ? nullptr : std::realloc(memory, bytes);
}

}  // namespace
}  // namespace vitrine

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_SIMD
#define STBI_FAILURE_USERMSG
#define STBI_ASSERT(condition) static_cast<void>(condition)
#define STBI_MALLOC(bytes) std::malloc(bytes)
#define STBI_REALLOC(memory, bytes) vitrine::Reallocate(memory, bytes)
#define STBI_FREE(memory) std::free(memory)
#include "runtime/base/status.h"
#include "runtime/image/decode/decoders.h"
#include "stb_image.h"

namespace vitrine {
namespace {

Status Damaged() {
  const char* reason = stbi_failure_reason();
  return Status::Error(Code::kInvalidImage, "image cannot be decoded: %s",
                       reason == nullptr ? "it is damaged" : reason);
}

/// The size in a PNG's first chunk: to stb_image one that is too large is no PNG at all.
Status CheckPngSize(std::span<const uint8_t> bytes) {
  constexpr size_t kWidth = 16, kHeight = 20;
  if (bytes.size() < kHeight + 4 || bytes[0] != 0x89 || bytes[1] != 'P') return {};
  const auto big_endian = [&](size_t at) {
    return int64_t{bytes[at]} << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  };
  return CheckSize(big_endian(kWidth), big_endian(kHeight));
}

}  // namespace

Result<Image> DecodePngOrBmp(std::span<const uint8_t> bytes, Orientation orientation) {
  VITRINE_RETURN_IF_ERROR(CheckPngSize(bytes));
  const int size = static_cast<int>(bytes.size());
  int width = 0, height = 0, channels = 0;
  if (!stbi_info_from_memory(bytes.data(), size, &width, &height, &channels)) return Damaged();
  VITRINE_RETURN_IF_ERROR(CheckSize(width, height));
  constexpr size_t kMostBytesPerPixel = 8, kMargin = 64 * 1024;  // four samples of 16 bits
  const size_t rows = static_cast<size_t>(height),
               row_bytes = kMostBytesPerPixel * static_cast<size_t>(width) + 1;
  largest_piece = 2 * std::max(rows * row_bytes, bytes.size()) + kMargin;
  uint8_t* pixels = stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 3);
  if (pixels == nullptr) return Damaged();
  Image stored = Image::Adopt(pixels, width, height);
  if (orientation == Orientation::kUpright) return stored;

  const bool sideways = IsSideways(orientation);
  Result<Image> upright = Image::Create(sideways ? height : width, sideways ? width : height);
  if (!upright.ok()) return upright;
  const UprightWriter writer(upright.value().pixels(), width, height, orientation);
  for (int y = 0; y < height; ++y) writer.WriteRow(y, pixels + ptrdiff_t{3} * width * y);
  return upright;
}

}  // namespace vitrine
