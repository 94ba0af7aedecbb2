// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/decode/decoders.h"

#include <array>
#include <cstring>
#include <string_view>

#include "runtime/base/status.h"

namespace vitrine {
namespace {

using Bytes = std::span<const uint8_t>;

bool HasAt(Bytes bytes, size_t offset, std::string_view text) {
  return offset + text.size() <= bytes.size() &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

/// Returns the `size` bytes at `offset`, which must exist, as a number with the most significant byte first.
uint32_t BigEndian(Bytes bytes, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[offset + i];
  return value;
}

uint32_t LittleEndian(Bytes bytes, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | bytes[offset + i - 1];
  return value;
}

Status CutShort(const char* type, size_t bytes, const char* missing) {
  return Status::Error(Code::kInvalidImage, "%s is incomplete: it ends after %zu bytes, %s", type, bytes,
                       missing);
}

// JPEG: segments of 0xFF, a marker, a length and data; after a scan header, entropy-coded bytes up to the
// next marker.

constexpr uint8_t kStartOfScan = 0xDA, kEndOfImage = 0xD9, kApp1 = 0xE1;

// A JPEG of one color has up to 700 pixels per byte, a progressive one a few dozen scans. More of either is damage or an
// attack on memory or time.
constexpr uint64_t kMostPixelsPerByte = 2048;
constexpr int kMostScans = 100;

bool HasNoLength(uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

/// Returns the position after the 0xFF of the next marker at or after `offset`, or the size where there is none. Stuffed
/// zeros, restart markers and fill bytes do not count.
size_t FindMarker(Bytes bytes, size_t offset) {
  while (offset + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + offset, 0xFF, bytes.size() - offset - 1);
    if (found == nullptr) break;
    offset = static_cast<size_t>(static_cast<const uint8_t*>(found) - bytes.data()) + 1;
    const uint8_t marker = bytes[offset];
    if (marker != 0x00 && marker != 0xFF && !HasNoLength(marker)) return offset;
  }
  return bytes.size();
}

bool IsFrameHeader(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Checks a frame header against the size of the file.
Status CheckFrame(Bytes header, size_t file_bytes) {
  if (header.size() < 5)
    return Status::Error(Code::kInvalidImage, "JPEG is damaged: its frame header is too short");
  const uint64_t height = BigEndian(header, 1, 2), width = BigEndian(header, 3, 2);
  if (width * height <= kMostPixelsPerByte * file_bytes) return {};
  return Status::Error(Code::kInvalidImage, "JPEG is damaged: %zu bytes cannot hold %llu x %llu pixels",
                       file_bytes, static_cast<unsigned long long>(width),
                       static_cast<unsigned long long>(height));
}

Result<Container> InspectJpeg(Bytes bytes) {
  Container container{FileType::kJpeg, {}};
  int scans = 0;
  for (size_t offset = FindMarker(bytes, 2); offset < bytes.size();) {
    const uint8_t marker = bytes[offset];
    if (marker == kEndOfImage) {
      if (scans > 0) return container;
      return Status::Error(Code::kInvalidImage, "JPEG has no picture: it ends before the first scan");
    }
    if (bytes.size() - offset < 3) break;
    const size_t length = BigEndian(bytes, offset + 1, 2);
    if (length < 2)
      return Status::Error(Code::kInvalidImage, "JPEG is damaged: a segment has %zu bytes", length);
    if (length > bytes.size() - offset - 1) break;
    const Bytes data = bytes.subspan(offset + 3, length - 2);
    if (marker == kApp1 && container.exif.empty() && HasAt(data, 0, {"Exif\0\0", 6})) {
      container.exif = data.subspan(6);
    }
    if (IsFrameHeader(marker)) VITRINE_RETURN_IF_ERROR(CheckFrame(data, bytes.size()));
    if (marker == kStartOfScan && ++scans > kMostScans)
      return Status::Error(Code::kInvalidImage, "JPEG is damaged: it has more than %d scans", kMostScans);
    offset = FindMarker(bytes, offset + 1 + length);
  }
  return CutShort("JPEG", bytes.size(), "without an end-of-image marker");
}

// PNG: chunks of length, type, data and checksum.

/// CRC-32 as in PNG's annex D.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320u ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}();

uint32_t Crc32(Bytes bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const uint8_t byte : bytes) crc = kCrcTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

Result<Container> InspectPng(Bytes bytes) {
  constexpr size_t kSignature = 8, kFrame = 12;  // length, type and checksum
  Container container{FileType::kPng, {}};
  for (size_t offset = kSignature; bytes.size() - offset >= kFrame;) {
    const size_t length = BigEndian(bytes, offset, 4);
    if (length > bytes.size() - offset - kFrame) break;
    const Bytes checked = bytes.subspan(offset + 4, 4 + length);
    const bool is_critical = (checked[0] & 0x20) == 0, is_exif = HasAt(checked, 0, "eXIf");
    if ((is_critical || is_exif) && Crc32(checked) != BigEndian(bytes, offset + 8 + length, 4)) {
      return Status::Error(Code::kInvalidImage,
                           "PNG is damaged: the checksum of its %.4s chunk at byte %zu is wrong",
                           reinterpret_cast<const char*>(checked.data()), offset);
    }
    if (is_exif) container.exif = checked.subspan(4);
    if (HasAt(checked, 0, "IEND")) return container;
    offset += kFrame + length;
  }
  return CutShort("PNG", bytes.size(), "without an IEND chunk");
}

// BMP: rows padded to four bytes at an offset that the header gives.

Result<Container> InspectBmp(Bytes bytes) {
  if (bytes.size() < 30) return CutShort("BMP", bytes.size(), "within its header");
  const uint64_t pixels = LittleEndian(bytes, 10, 4);
  const bool is_os2 = LittleEndian(bytes, 14, 4) == 12;
  const int64_t width =
      is_os2 ? LittleEndian(bytes, 18, 2) : static_cast<int32_t>(LittleEndian(bytes, 18, 4));
  const int64_t height =
      is_os2 ? LittleEndian(bytes, 20, 2) : static_cast<int32_t>(LittleEndian(bytes, 22, 4));
  const uint64_t bits = LittleEndian(bytes, is_os2 ? 24 : 28, 2);
  if (width < 1 || height == 0) return Status::Error(Code::kInvalidImage, "BMP is damaged: it has no pixels");
  const uint64_t rows = static_cast<uint64_t>(height < 0 ? -height : height);
  const uint64_t row_bytes = (static_cast<uint64_t>(width) * bits + 31) / 32 * 4;
  const uint64_t last_row_bytes =
      (static_cast<uint64_t>(width) * bits + 7) / 8;  // some writers do not pad it
  if (pixels > bytes.size() || (rows - 1) * row_bytes + last_row_bytes > bytes.size() - pixels) {
    return CutShort("BMP", bytes.size(), "before its last row");
  }
  return Container{FileType::kBmp, {}};
}

/// Returns the name of an unsupported type that the first bytes identify, or null.
const char* NameOfOtherType(Bytes bytes) {
  if (HasAt(bytes, 0, "GIF8")) return "a GIF";
  if (HasAt(bytes, 0, "RIFF") && HasAt(bytes, 8, "WEBP")) return "a WebP";
  if (HasAt(bytes, 4, "ftypavif") || HasAt(bytes, 4, "ftypavis")) return "an AVIF";
  if (HasAt(bytes, 4, "ftyphei") || HasAt(bytes, 4, "ftypmif1")) return "a HEIC";
  if (HasAt(bytes, 0, {"II*\0", 4}) || HasAt(bytes, 0, {"MM\0*", 4})) return "a TIFF or raw";
  if (HasAt(bytes, 0, {"\xFF\x0A", 2}) || HasAt(bytes, 4, "JXL ")) return "a JPEG XL";
  if (HasAt(bytes, 0, "%PDF")) return "a PDF";
  if (HasAt(bytes, 0, "<svg") || HasAt(bytes, 0, "<?xml")) return "an SVG or XML";
  return nullptr;
}

}  // namespace

Result<Container> InspectContainer(Bytes bytes) {
  if (bytes.empty()) return Status::Error(Code::kInvalidImage, "is empty");
  if (HasAt(bytes, 0, "\xFF\xD8\xFF")) return InspectJpeg(bytes);
  if (HasAt(bytes, 0, "\x89PNG\r\n\x1A\n")) return InspectPng(bytes);
  if (HasAt(bytes, 0, "BM")) return InspectBmp(bytes);
  if (HasAt(bytes, 0, "P5") || HasAt(bytes, 0, "P6")) return Container{FileType::kPnm, {}};
  const char* name = NameOfOtherType(bytes);
  if (name != nullptr) {
    return Status::Error(Code::kInvalidImage, "is %s file, expected JPEG, PNG, BMP or PNM", name);
  }
  return Status::Error(Code::kInvalidImage, "is not an image: expected JPEG, PNG, BMP or PNM");
}

}  // namespace vitrine
