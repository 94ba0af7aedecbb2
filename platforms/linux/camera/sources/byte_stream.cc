// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/sources/byte_stream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

size_t ByteStream::ReadSome(uint8_t* out, size_t count) {
  while (!ended_) {
    if (WaitFor(descriptor_, stop_, -1) != Wait::kReady) break;
    const ssize_t got = read(descriptor_, out, count);
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    break;
  }
  ended_ = true;
  return 0;
}

bool ByteStream::Fill() {
  begin_ = 0;
  end_ = ReadSome(buffer_.data(), buffer_.size());
  return end_ > 0;
}

size_t ByteStream::Read(uint8_t* out, size_t count) {
  size_t done = std::min(count, end_ - begin_);
  std::memcpy(out, buffer_.data() + begin_, done);
  begin_ += done;
  while (done < count) {
    const size_t got = ReadSome(out + done, count - done);
    if (got == 0) break;
    done += got;
  }
  return done;
}

}  // namespace vitrine
