// SPDX-License-Identifier: Apache-2.0
// Image::Load: the bytes of a file, or of a pipe.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vitrine/image.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "runtime/base/status.h"

namespace vitrine {
namespace {

/// An open file, closed at the end of the scope, and what was read from it.
struct File {
  explicit File(const char* path) : descriptor(open(path, O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor >= 0) close(descriptor);
    std::free(bytes);
  }

  int descriptor;
  uint8_t* bytes = nullptr;
  size_t size = 0;
};

/// Makes room for `capacity` bytes.
Status Grow(const char* path, size_t capacity, File* file) {
  if (capacity > INT_MAX) return Status::Error(Code::kInvalidImage, "%s: is larger than 2 GB", path);
  uint8_t* bytes = static_cast<uint8_t*>(std::realloc(file->bytes, capacity));
  if (bytes == nullptr)
    return Status::Error(Code::kOutOfMemory, "%s: no memory for %zu bytes", path, capacity);
  file->bytes = bytes;
  return {};
}

/// Reads to the end. A file's size is what to expect; a pipe has none, and a file may grow.
Status ReadAll(const char* path, File* file) {
  constexpr size_t kFirstPiece = 64 * 1024;
  struct stat info;
  if (fstat(file->descriptor, &info) != 0)
    return Status::Error(Code::kNotFound, "%s: %s", path, std::strerror(errno));
  if (S_ISDIR(info.st_mode)) return Status::Error(Code::kNotFound, "%s: %s", path, std::strerror(EISDIR));
  // A file or a pipe. A device such as /dev/zero may have no end.
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
    return Status::Error(Code::kInvalidArgument, "%s: is not a file", path);
  // One byte more, so that the end shows without growing.
  size_t capacity =
      S_ISREG(info.st_mode) ? static_cast<size_t>(std::min<off_t>(info.st_size, INT_MAX)) + 1 : kFirstPiece;
  while (true) {
    VITRINE_RETURN_IF_ERROR(Grow(path, capacity, file));
    while (file->size < capacity) {
      const ssize_t count = read(file->descriptor, file->bytes + file->size, capacity - file->size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Status::Error(Code::kNotFound, "%s: %s", path, std::strerror(errno));
      if (count == 0) return {};
      file->size += static_cast<size_t>(count);
    }
    capacity *= 2;
  }
}

}  // namespace

Result<Image> Image::Load(const char* path, const DecodeOptions& options) {
  if (path == nullptr) return Status::Error(Code::kInvalidArgument, "path of an image is null");
  File file(path);
  if (file.descriptor < 0) return Status::Error(Code::kNotFound, "%s: %s", path, std::strerror(errno));
  VITRINE_RETURN_IF_ERROR(ReadAll(path, &file));
  Result<Image> image = Decode({file.bytes, file.size}, options);
  if (image.ok()) return image;
  return Status::Error(image.status().code(), "%s: %s", path, image.status().message());
}

}  // namespace vitrine
