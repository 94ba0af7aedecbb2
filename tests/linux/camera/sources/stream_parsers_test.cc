// SPDX-License-Identifier: Apache-2.0
// Streams of random and truncated bytes: every parser must reach the end of the stream.
#include "platforms/linux/camera/sources/stream_parsers.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <thread>

namespace vitrine {
namespace {

using Bytes = std::vector<uint8_t>;

/// Feeds `bytes` through a pipe.
class Feed {
 public:
  explicit Feed(Bytes bytes) {
    REQUIRE(pipe(ends_) == 0);
    thread_ = std::thread([this, bytes = std::move(bytes)] {
      for (size_t at = 0; at < bytes.size();) {
        const ssize_t written = write(ends_[1], bytes.data() + at, bytes.size() - at);
        if (written <= 0) break;
        at += static_cast<size_t>(written);
      }
      close(ends_[1]);
    });
  }
  Feed(const Feed&) = delete;
  ~Feed() {
    thread_.join();
    close(ends_[0]);
  }
  int descriptor() const { return ends_[0]; }

 private:
  int ends_[2];
  std::thread thread_;
};

struct Count {
  int frames = 0, damaged = 0;
};

Count ParseAll(const std::string& format, Bytes bytes) {
  const size_t most = bytes.size() + 2;
  const Feed feed(std::move(bytes));
  ByteStream stream(feed.descriptor(), -1);
  const std::unique_ptr<StreamParser> parser = ParserNamed(format);
  REQUIRE(parser != nullptr);
  Bytes buffer;
  Count count;
  for (size_t i = 0; i < most; ++i) {
    Frame frame;
    const char* reason = nullptr;
    const Arrival arrival = parser->Next(&stream, &buffer, &frame, &reason);
    if (arrival == Arrival::kEnd) return count;
    if (arrival == Arrival::kDamaged) REQUIRE(reason != nullptr);
    if (arrival == Arrival::kFrame) REQUIRE(frame.size <= buffer.size());
    ++(arrival == Arrival::kFrame ? count.frames : count.damaged);
  }
  FAIL("does not end");
  return count;
}

/// Returns the frames of a complete stream.
Bytes WholeStream(const std::string& format) {
  Bytes stream;
  const auto add = [&stream](std::string_view text) {
    stream.insert(stream.end(), text.begin(), text.end());
  };
  if (format == "y4m") add("YUV4MPEG2 W6 H4 F30:1 C420mpeg2\n");
  for (int i = 0; i < 4; ++i) {
    if (format == "y4m") add("FRAME\n");
    if (format == "mjpeg") {
      add({"\xFF\xD8\xFF\xE1\x00\x06\xFF\xD8\xFF\xD9", 10});  // a thumbnail
      add({"\xFF\xDA\x00\x03\x01\x10\xFF\x00\x20\xFF\xD0\x30\xFF\xD9", 14});
    } else {
      stream.insert(stream.end(), 36, static_cast<uint8_t>(i));
    }
  }
  return stream;
}

TEST_CASE("Whole streams are cut into their frames") {
  for (const char* format : {"6x4:i420", "6x4:nv12", "y4m", "mjpeg"}) {
    INFO(format);
    const Count count = ParseAll(format, WholeStream(format));
    CHECK(count.frames == 4);
    CHECK(count.damaged == 0);
  }
  for (const char* format :
       {"", "x", "6x4", "6x4:", "x4:i420", "-6x4:i420", "7x4:yuyv", "6x4:h264", "16385x4:gray"})
    CHECK(ParserNamed(format) == nullptr);
}

TEST_CASE("A stream that is cut anywhere ends") {
  for (const char* format : {"6x4:i420", "y4m", "mjpeg"}) {
    const Bytes whole = WholeStream(format);
    for (size_t size = 0; size < whole.size(); ++size) {
      const Count count =
          ParseAll(format, Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
      CHECK(count.frames < 4);
    }
  }
}

TEST_CASE("Random bytes, and streams with random damage, end") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    for (const char* format : {"6x4:i420", "y4m", "mjpeg"}) {
      Bytes bytes = round % 2 == 0 ? WholeStream(format) : Bytes(random() % 3000);
      const size_t changes = round % 2 == 0 ? 1 + random() % 8 : bytes.size();
      for (size_t i = 0; i < changes; ++i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
      if (round % 4 == 1) {  // many markers
        for (size_t i = 0; i < bytes.size(); i += 3) bytes[i] = 0xFF;
      }
      ParseAll(format, bytes);
    }
  }
}

TEST_CASE("A header of an enormous picture takes no memory") {
  std::string header = "YUV4MPEG2 W16000 H16000\nFRAME\nabc";
  CHECK(ParseAll("y4m", Bytes(header.begin(), header.end())).frames == 0);
}

/// Returns a Y4M stream of frames of 4 x 4 gray pixels.
Bytes Y4m(int frames, const std::string& header = "YUV4MPEG2 W4 H4 Cmono\n") {
  std::string text = header;
  for (int i = 0; i < frames; ++i) text += "FRAME\n0123456789abcdef";
  return {text.begin(), text.end()};
}

Bytes Joined(const Bytes& first, const Bytes& second) {
  Bytes both = first;
  both.insert(both.end(), second.begin(), second.end());
  return both;
}

TEST_CASE("A Y4M stream loses two frames at most where bytes are missing") {
  for (size_t missing = 1; missing < 20; ++missing) {
    Bytes damaged = Y4m(1);
    damaged.resize(damaged.size() - missing);
    const Count count = ParseAll("y4m", Joined(damaged, Y4m(10, "")));
    INFO(missing << " bytes are missing");
    CHECK(count.frames >= 9);
    CHECK(count.damaged <= 2);
  }
}

TEST_CASE("A Y4M stream may start anew at any byte, also at another size") {
  for (size_t kept = 0; kept <= Y4m(2).size(); ++kept) {
    Bytes first = Y4m(2);
    first.resize(kept);
    const Count count = ParseAll("y4m", Joined(first, Y4m(10, "YUV4MPEG2 W2 H8 Cmono F30:1\n")));
    INFO(kept << " bytes of the first stream");
    CHECK(count.frames >= 9);
    CHECK(count.damaged <= 3);
  }
}

}  // namespace
}  // namespace vitrine
