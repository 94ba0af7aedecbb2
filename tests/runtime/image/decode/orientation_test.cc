// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/decode/decoders.h"

#include "tests/runtime/image/image_test.h"

namespace vitrine {
namespace {

/// Returns a TIFF header and a directory with one entry, as in an Exif block.
std::vector<uint8_t> Exif(bool big_endian, uint32_t type, uint32_t value) {
  std::vector<uint8_t> bytes = {'I', 'I'};
  if (big_endian) bytes = {'M', 'M'};
  const auto append = [&](uint32_t number, int size) {
    for (int i = 0; i < size; ++i) {
      bytes.push_back(static_cast<uint8_t>(number >> 8 * (big_endian ? size - 1 - i : i)));
    }
  };
  append(42, 2), append(8, 4), append(1, 2);
  append(0x0112, 2), append(type, 2), append(1, 4);
  const int size = type == 1 ? 1 : type == 3 ? 2 : 4;
  append(value, size), append(0, 4 - size), append(0, 4);
  return bytes;
}

TEST_CASE("Reads the orientation in either byte order and of every width") {
  for (const bool big_endian : {false, true}) {
    for (const uint32_t type : {1u, 3u, 4u}) {
      for (uint32_t value = 1; value <= 8; ++value) {
        CHECK(ReadOrientation(Exif(big_endian, type, value)) == static_cast<Orientation>(value));
      }
      CHECK(ReadOrientation(Exif(big_endian, type, 0)) == Orientation::kUpright);
      CHECK(ReadOrientation(Exif(big_endian, type, 9)) == Orientation::kUpright);
    }
    CHECK(ReadOrientation(Exif(big_endian, 2, 6)) == Orientation::kUpright);  // text
  }
}

TEST_CASE("Takes a block that is cut short or points outside itself for upright") {
  const std::vector<uint8_t> exif = Exif(false, 3, 6);
  for (size_t size = 0; size <= 19; ++size) {  // the value is in the two bytes from offset 18
    const std::vector<uint8_t> cut(exif.begin(), exif.begin() + static_cast<ptrdiff_t>(size));
    CHECK(ReadOrientation(cut) == Orientation::kUpright);
  }
  for (const uint32_t offset : {0x7FFFFFFFu, 0xFFFFFFFFu, 25u, 0u}) {
    std::vector<uint8_t> wild = exif;
    for (int i = 0; i < 4; ++i) wild[4 + static_cast<size_t>(i)] = static_cast<uint8_t>(offset >> 8 * i);
    CHECK(ReadOrientation(wild) == Orientation::kUpright);
  }
  std::vector<uint8_t> mixed = exif;
  mixed[1] = 'M';
  CHECK(ReadOrientation(mixed) == Orientation::kUpright);
}

TEST_CASE("Writes every pixel once, and to where the orientation says") {
  constexpr int kWidth = 3, kHeight = 2;
  //                              the stored picture is   a b c
  //                                                      d e f
  const char* const kUprights[] = {"abcdef", "cbafed", "fedcba", "defabc",
                                   "adbecf", "daebfc", "fcebda", "cfbead"};
  for (int number = 1; number <= 8; ++number) {
    std::string upright(kWidth * kHeight * 3, '?');
    const UprightWriter writer(reinterpret_cast<uint8_t*>(upright.data()), kWidth, kHeight,
                               static_cast<Orientation>(number));
    writer.WriteRow(0, reinterpret_cast<const uint8_t*>("aaabbbccc"));
    writer.WriteRow(1, reinterpret_cast<const uint8_t*>("dddeeefff"));
    std::string firsts;
    for (size_t i = 0; i < upright.size(); i += 3) firsts += upright[i];
    INFO("orientation " << number);
    CHECK(firsts == kUprights[number - 1]);
    CHECK(upright.find('?') == std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine
