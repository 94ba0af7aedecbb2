// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of a pipe into frames. The bytes may be anything: no parser reads or writes outside its buffers or
// needs more than kMaxFrameBytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

/// Reads ahead from a descriptor until its end, or until `stop` can be read. Does not allocate after its construction.
class ByteStream {
 public:
  ByteStream(int descriptor, int stop) : descriptor_(descriptor), stop_(stop), buffer_(kBufferBytes) {}

  /// Returns the next byte, or -1 at the end.
  int Get() { return begin_ < end_ || Fill() ? buffer_[begin_++] : -1; }
  /// Reads `count` bytes; returns how many there were before the end.
  size_t Read(uint8_t* out, size_t count);
  /// Makes these bytes the next ones to read. Allocates.
  void PutBack(const uint8_t* bytes, size_t count);

 private:
  static constexpr size_t kBufferBytes = 64 * 1024;

  bool Fill();
  /// Returns the result of one read(); 0 at the end.
  size_t ReadSome(uint8_t* out, size_t count);

  int descriptor_, stop_;
  bool ended_ = false;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;
};

/// A larger frame counts as damaged.
inline constexpr size_t kMaxFrameBytes = 64 << 20;

class StreamParser {
 public:
  virtual ~StreamParser() = default;
  /// Reads the next frame into `bytes`, which grows as needed, and sets its layout and size. Sets *reason for a damaged
  /// frame.
  virtual Arrival Next(ByteStream* stream, std::vector<uint8_t>* bytes, Frame* frame,
                       const char** reason) = 0;
};

/// Parses frames of one layout with nothing between them.
std::unique_ptr<StreamParser> ParseRaw(const FrameLayout& layout);
/// Parses YUV4MPEG2, 4:2:0 or mono, as ffmpeg and rpicam-vid write it.
std::unique_ptr<StreamParser> ParseY4m();
/// Parses JPEGs that follow each other.
std::unique_ptr<StreamParser> ParseMjpeg();

/// Returns the parser for a --stdin format, or null.
std::unique_ptr<StreamParser> ParserNamed(const std::string& format);

}  // namespace vitrine
