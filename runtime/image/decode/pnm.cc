// SPDX-License-Identifier: Apache-2.0
// PNM: binary gray (P5) and color (P6) maps, as image tools and pipes write them.
#include <algorithm>
#include <cmath>

#include "runtime/base/status.h"
#include "runtime/image/decode/decoders.h"

namespace vitrine {
namespace {

/// Reads the header's numbers, which white space and comments part.
class Header {
 public:
  explicit Header(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  /// Returns the next number, or -1 where there is none or it has more than nine digits.
  int Number() {
    SkipSpace();
    int value = 0, digits = 0;
    for (; offset_ < bytes_.size() && bytes_[offset_] >= '0' && bytes_[offset_] <= '9'; ++offset_, ++digits) {
      if (digits == 9) return -1;
      value = 10 * value + (bytes_[offset_] - '0');
    }
    return digits == 0 ? -1 : value;
  }

  /// What follows the header: one white-space character, then samples.
  std::span<const uint8_t> Samples() const { return bytes_.subspan(std::min(offset_ + 1, bytes_.size())); }

 private:
  static bool IsSpace(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

  void SkipSpace() {
    for (bool comment = false; offset_ < bytes_.size(); ++offset_) {
      if (bytes_[offset_] == '#') comment = true;
      if (!comment && !IsSpace(bytes_[offset_])) return;
      if (bytes_[offset_] == '\n') comment = false;
    }
  }

  std::span<const uint8_t> bytes_;
  size_t offset_ = 2;  // behind the type
};

/// From 0..white to 0..255, as Pillow does it: in double precision, halves to even.
uint8_t ScaleSample(int sample, int white) {
  if (white == 255) return static_cast<uint8_t>(sample);
  const double scaled = static_cast<double>(sample) / white * 255;
  return static_cast<uint8_t>(std::min(std::nearbyint(scaled), 255.0));
}

}  // namespace

Result<Image> DecodePnm(std::span<const uint8_t> bytes) {
  Header header(bytes);
  const int channels = bytes[1] == '6' ? 3 : 1;
  const int width = header.Number(), height = header.Number(), white = header.Number();
  if (width < 0 || height < 0 || white < 1 || white > 65535) {
    return Status::Error(Code::kInvalidImage, "PNM has a header that is not right");
  }
  VITRINE_RETURN_IF_ERROR(CheckSize(width, height));
  const std::span<const uint8_t> samples = header.Samples();
  const int sample_bytes = white > 255 ? 2 : 1;
  const int64_t needed = int64_t{width} * height * channels * sample_bytes;
  if (static_cast<int64_t>(samples.size()) < needed) {
    return Status::Error(Code::kInvalidImage, "PNM is incomplete: it has %zu bytes of pixels, expected %lld",
                         samples.size(), static_cast<long long>(needed));
  }
  Result<Image> image = Image::Create(width, height);
  if (!image.ok()) return image;
  const uint8_t* from = samples.data();
  const uint8_t* const end = from + needed;
  for (uint8_t* to = image.value().pixels(); from != end; from += sample_bytes) {
    const uint8_t value = ScaleSample(sample_bytes == 2 ? from[0] << 8 | from[1] : from[0], white);
    for (int i = 0; i < 3 / channels; ++i) *to++ = value;
  }
  return image;
}

}  // namespace vitrine
