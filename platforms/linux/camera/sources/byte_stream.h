// SPDX-License-Identifier: Apache-2.0
// Bytes of a pipe, read ahead, that can be waited for without missing the wish to stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine {

/// Reads from a descriptor until it ends, or until `stop` can be read. Does not allocate after its
/// construction.
class ByteStream {
 public:
  ByteStream(int descriptor, int stop) : descriptor_(descriptor), stop_(stop), buffer_(kBufferBytes) {}

  /// The next byte, or -1 at the end.
  int Get() { return begin_ < end_ || Fill() ? buffer_[begin_++] : -1; }
  /// Reads up to `count` bytes; returns how many there were before the end.
  size_t Read(uint8_t* out, size_t count);

 private:
  static constexpr size_t kBufferBytes = 64 * 1024;

  bool Fill();
  /// What one read() gave, 0 at the end.
  size_t ReadSome(uint8_t* out, size_t count);

  int descriptor_, stop_;
  bool ended_ = false;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;
};

}  // namespace vitrine
