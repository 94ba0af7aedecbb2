// SPDX-License-Identifier: Apache-2.0
// What a pipe carries, cut into frames. Bytes may be anything: no parser reads or writes outside its buffers,
// or needs more than kMaxFrameBytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platforms/linux/camera/sources/byte_stream.h"
#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

/// A larger frame is taken for damage.
inline constexpr size_t kMaxFrameBytes = 64 << 20;

class StreamParser {
 public:
  virtual ~StreamParser() = default;
  /// Reads the next frame to `bytes`, which grows where it must, and sets its layout and size; or sets
  /// *reason.
  virtual Arrival Next(ByteStream* stream, std::vector<uint8_t>* bytes, Frame* frame,
                       const char** reason) = 0;
};

/// Frames of one layout, nothing between them.
std::unique_ptr<StreamParser> ParseRaw(const FrameLayout& layout);
/// YUV4MPEG2, 4:2:0 or mono, as ffmpeg and rpicam-vid write it.
std::unique_ptr<StreamParser> ParseY4m();
/// JPEGs one behind the other.
std::unique_ptr<StreamParser> ParseMjpeg();

/// The parser that a word for --stdin names, or null.
std::unique_ptr<StreamParser> ParserNamed(const std::string& format);

}  // namespace vitrine
