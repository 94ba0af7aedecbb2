// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/sources/stream_parsers.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "platforms/linux/cli/failure.h"

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

void ByteStream::PutBack(const uint8_t* bytes, size_t count) {
  std::vector<uint8_t> joined(bytes, bytes + count);
  joined.insert(joined.end(), buffer_.begin() + static_cast<ptrdiff_t>(begin_),
                buffer_.begin() + static_cast<ptrdiff_t>(end_));
  begin_ = 0;
  end_ = joined.size();
  joined.resize(std::max(joined.size(), kBufferBytes));
  buffer_ = std::move(joined);
}

namespace {

/// Reads a frame of a known layout.
Arrival ReadFrame(const FrameLayout& layout, ByteStream* stream, std::vector<uint8_t>* bytes, Frame* frame,
                  const char** reason) {
  const size_t size = layout.bytes();
  if (bytes->size() < size) bytes->resize(size);
  const size_t got = stream->Read(bytes->data(), size);
  if (got == 0) return Arrival::kEnd;
  if (got < size) {
    *reason = "the stream ends within a frame";
    return Arrival::kDamaged;
  }
  frame->layout = layout;
  frame->size = size;
  return Arrival::kFrame;
}

class RawParser final : public StreamParser {
 public:
  explicit RawParser(const FrameLayout& layout) : layout_(layout) {}
  Arrival Next(ByteStream* stream, std::vector<uint8_t>* bytes, Frame* frame, const char** reason) override {
    return ReadFrame(layout_, stream, bytes, frame, reason);
  }

 private:
  FrameLayout layout_;
};

int NumberIn(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

/// After damage it finds the stream again: at the next FRAME, or at the header of a stream that starts anew.
class Y4mParser final : public StreamParser {
 public:
  Arrival Next(ByteStream* stream, std::vector<uint8_t>* bytes, Frame* frame, const char** reason) override {
    if (!is_at_pixels_) {
      if (!ReadLine(stream)) return Arrival::kEnd;
      if (line().starts_with(kMagic)) {
        KeepFrom(line().rfind(kMagic));  // a stream that starts anew within a header
        has_header_ = ReadHeader();
        if (!ReadLine(stream)) return Arrival::kEnd;
      }
      if (!IsFrameLine(line())) return Resynchronize(reason);
      if (!has_header_) return Damaged("not a YUV4MPEG2 stream of 8 bits, 4:2:0 or mono", reason);
    }
    is_at_pixels_ = false;
    const Arrival arrival = ReadFrame(layout_, stream, bytes, frame, reason);
    return arrival == Arrival::kFrame ? CheckRestart(stream, *bytes, reason) : arrival;
  }

 private:
  static constexpr std::string_view kMagic = "YUV4MPEG2 ", kFrame = "FRAME";

  static Arrival Damaged(const char* what, const char** reason) {
    *reason = what;
    return Arrival::kDamaged;
  }

  static bool IsFrameLine(std::string_view line) { return line == kFrame || line.starts_with("FRAME "); }

  std::string_view line() const { return {line_, length_}; }

  /// Reads to the end of the line, of which it keeps the last bytes.
  bool ReadLine(ByteStream* stream) {
    length_ = 0;
    for (int byte = stream->Get(); byte >= 0; byte = stream->Get()) {
      if (byte == '\n') return true;
      if (length_ == sizeof line_) {
        length_ /= 2;
        std::memmove(line_, line_ + length_, length_);
      }
      line_[length_++] = static_cast<char>(byte);
    }
    return false;
  }

  void KeepFrom(size_t place) {
    length_ -= place;
    std::memmove(line_, line_ + place, length_);
  }

  /// The line is pixels of a damaged frame, perhaps with a header at its end.
  Arrival Resynchronize(const char** reason) {
    if (const size_t magic = line().rfind(kMagic); magic != std::string_view::npos) {
      KeepFrom(magic);
      has_header_ = ReadHeader();
    } else if (const size_t at = line().rfind(kFrame); at != std::string_view::npos && has_header_) {
      is_at_pixels_ = IsFrameLine(line().substr(at));
    }
    return Damaged("no FRAME header", reason);
  }

  /// A stream that starts anew within a frame shows as a header among its pixels.
  Arrival CheckRestart(ByteStream* stream, const std::vector<uint8_t>& bytes, const char** reason) {
    const std::string_view pixels(reinterpret_cast<const char*>(bytes.data()), layout_.bytes());
    const size_t magic = pixels.find(kMagic);
    if (magic == std::string_view::npos) return Arrival::kFrame;
    stream->PutBack(bytes.data() + magic, pixels.size() - magic);
    return Damaged("the stream starts anew within a frame", reason);
  }

  bool ReadHeader() {
    int width = 0, height = 0;
    bool is_mono = false, is_full = false, is_known = true;
    std::string_view rest = line();
    while (!rest.empty()) {
      const size_t space = std::min(rest.find(' '), rest.size());
      const std::string_view word = rest.substr(0, space);
      rest.remove_prefix(std::min(space + 1, rest.size()));
      if (word.starts_with('W')) width = NumberIn(word.substr(1));
      if (word.starts_with('H')) height = NumberIn(word.substr(1));
      if (word.starts_with('C')) is_mono = word == "Cmono";
      if (word.starts_with('C') && !is_mono)
        is_known = word.starts_with("C420") && word.find("p1") == std::string_view::npos;
      if (word == "XCOLORRANGE=FULL") is_full = true;
    }
    if (width < 1 || height < 1 || width > 16384 || height > 16384 || !is_known) return false;
    layout_ = PackedLayout(is_mono ? PixelFormat::kGray8 : PixelFormat::kI420, width, height);
    if (is_full) layout_.range = YuvRange::kFull;
    return layout_.bytes() <= kMaxFrameBytes;
  }

  FrameLayout layout_;
  bool has_header_ = false;
  bool is_at_pixels_ = false;  // the FRAME header of the next frame has been read
  char line_[1024];
  size_t length_ = 0;
};

/// Walks a JPEG's segments up to its scans. A scan ends with a marker that is not a restart marker.
class MjpegParser final : public StreamParser {
 public:
  Arrival Next(ByteStream* stream, std::vector<uint8_t>* bytes, Frame* frame, const char** reason) override {
    if (!FindStart(stream)) return Arrival::kEnd;
    bytes_ = bytes;
    size_ = 0;
    Put(0xFF);
    Put(0xD8);
    frame->layout = {};
    frame->layout.is_jpeg = true;
    const Arrival arrival = ReadSegments(stream, reason);
    frame->size = size_;
    return arrival;
  }

 private:
  bool FindStart(ByteStream* stream) {
    if (started_) {
      started_ = false;
      return true;
    }
    for (int last = 0, byte = stream->Get(); byte >= 0; last = byte, byte = stream->Get()) {
      if (last == 0xFF && byte == 0xD8) return true;
    }
    return false;
  }

  void Put(int byte) {
    if (size_ == bytes_->size()) bytes_->resize(std::clamp<size_t>(2 * size_, 64 * 1024, kMaxFrameBytes));
    (*bytes_)[size_++] = static_cast<uint8_t>(byte);
  }

  Arrival ReadSegments(ByteStream* stream, const char** reason) {
    bool in_scan = false;
    for (int last = 0, byte = stream->Get(); byte >= 0; last = byte, byte = stream->Get()) {
      if (size_ >= kMaxFrameBytes - 65536) break;
      Put(byte);
      if (last != 0xFF || byte == 0x00 || byte == 0xFF || byte == 0x01 || (byte >= 0xD0 && byte <= 0xD7))
        continue;
      if (byte == 0xD9) return in_scan ? Arrival::kFrame : Damaged("JPEG without a picture", reason);
      if (byte == 0xD8) {  // the next JPEG begins before this one has ended
        started_ = true;
        return Damaged("JPEG without an end", reason);
      }
      in_scan = in_scan || byte == 0xDA;
      if (!SkipSegment(stream)) break;
      byte = 0;
    }
    return Damaged("JPEG without an end", reason);
  }

  /// Copies a segment. It begins with two bytes of length, which include themselves.
  bool SkipSegment(ByteStream* stream) {
    const int high = stream->Get(), low = stream->Get();
    if (low < 0) return false;
    Put(high);
    Put(low);
    for (int left = high * 256 + low - 2; left > 0; --left) {
      const int byte = stream->Get();
      if (byte < 0) return false;
      Put(byte);
    }
    return true;
  }

  static Arrival Damaged(const char* what, const char** reason) {
    *reason = what;
    return Arrival::kDamaged;
  }

  std::vector<uint8_t>* bytes_ = nullptr;
  size_t size_ = 0;
  bool started_ = false;  // the start of the next JPEG has been read already
};

}  // namespace

std::unique_ptr<StreamParser> ParseRaw(const FrameLayout& layout) {
  return std::make_unique<RawParser>(layout);
}
std::unique_ptr<StreamParser> ParseY4m() { return std::make_unique<Y4mParser>(); }
std::unique_ptr<StreamParser> ParseMjpeg() { return std::make_unique<MjpegParser>(); }

std::unique_ptr<StreamParser> ParserNamed(const std::string& format) {
  constexpr std::pair<const char*, PixelFormat> kFormats[] = {
      {"yuyv", PixelFormat::kYuyv8}, {"nv12", PixelFormat::kNv12},  {"i420", PixelFormat::kI420},
      {"rgb24", PixelFormat::kRgb8}, {"bgr24", PixelFormat::kBgr8}, {"gray", PixelFormat::kGray8}};
  if (format == "y4m") return ParseY4m();
  if (format == "mjpeg") return ParseMjpeg();
  const size_t x = format.find('x'), colon = format.find(':');
  if (x == std::string::npos || colon == std::string::npos || x > colon) return nullptr;
  const std::string_view text = format;
  const int width = NumberIn(text.substr(0, x)), height = NumberIn(text.substr(x + 1, colon - x - 1));
  if (width < 1 || height < 1 || width > 16384 || height > 16384) return nullptr;
  for (const auto& [name, pixels] : kFormats) {
    if (text.substr(colon + 1) != name || (pixels == PixelFormat::kYuyv8 && width % 2 != 0)) continue;
    const FrameLayout layout = PackedLayout(pixels, width, height);
    return layout.bytes() <= kMaxFrameBytes ? ParseRaw(layout) : nullptr;
  }
  return nullptr;
}

namespace {

class PipeSource final : public FrameSource {
 public:
  PipeSource(int descriptor, std::unique_ptr<StreamParser> parser, int stop)
      : stream_(descriptor, stop), parser_(std::move(parser)) {}

  Arrival Next(Frame* frame) override {
    const int slot = slots_.Take();
    const Arrival arrival = parser_->Next(&stream_, &slots_.bytes(slot), frame, &reason_);
    if (arrival != Arrival::kFrame) {
      slots_.GiveBack(slot);
      return arrival;
    }
    frame->slot = slot;
    frame->pixels = slots_.bytes(slot).data();
    frame->time = FrameClock::now();
    return arrival;
  }

  void GiveBack(const Frame& frame) override { slots_.GiveBack(frame.slot); }

 private:
  ByteStream stream_;
  std::unique_ptr<StreamParser> parser_;
  Slots slots_;
};

}  // namespace

std::unique_ptr<FrameSource> OpenPipe(int descriptor, const std::string& format, int stop) {
  std::unique_ptr<StreamParser> parser = ParserNamed(format);
  if (parser == nullptr)
    throw WrongValue("--stdin " + format +
                     ": expected y4m, mjpeg, or a size and format such as 640x480:i420");
  return std::make_unique<PipeSource>(descriptor, std::move(parser), stop);
}

}  // namespace vitrine
