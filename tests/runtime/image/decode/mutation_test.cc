// SPDX-License-Identifier: Apache-2.0
// Damaged files: the decoder must decode or refuse each. Most useful with the address sanitizer.
#include <catch2/catch_get_random_seed.hpp>
#include <random>

#include "tests/runtime/image/image_test.h"

namespace vitrine {
namespace {

using Random = std::mt19937;

size_t Below(size_t limit, Random* random) { return (*random)() % limit; }

/// Flips a bit, sets a byte to an extreme, moves, repeats or removes a piece, or writes a number at the place
/// of a length.
void MutateOnce(std::vector<uint8_t>* bytes, Random* random) {
  if (bytes->size() < 8) return;
  const size_t at = Below(bytes->size() - 4, random);
  const auto from = bytes->begin() + static_cast<ptrdiff_t>(at);
  const size_t length = 1 + Below(std::min<size_t>(bytes->size() - at, 40), random);
  switch (Below(6, random)) {
    case 0:
      (*bytes)[at] ^= static_cast<uint8_t>(1 << Below(8, random));
      break;
    case 1:
      (*bytes)[at] = static_cast<uint8_t>(0 - Below(2, random));
      break;
    case 2:
      (*bytes)[at] = static_cast<uint8_t>((*random)());
      break;
    case 3:
      bytes->erase(from, from + static_cast<ptrdiff_t>(length));
      break;
    case 4: {
      const std::vector<uint8_t> piece(from, from + static_cast<ptrdiff_t>(length));
      bytes->insert(bytes->begin() + static_cast<ptrdiff_t>(Below(bytes->size(), random)), piece.begin(),
                    piece.end());
      break;
    }
    default:
      std::fill_n(from, 1 + Below(4, random), static_cast<uint8_t>((*random)()));
      break;
  }
}

/// Corrects the checksums of a PNG's chunks, so that the decoder reads their contents.
void FixChecksums(std::vector<uint8_t>* bytes) {
  if (bytes->size() < 4 || (*bytes)[1] != 'P') return;
  for (size_t at = 8; at + 12 <= bytes->size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | (*bytes)[at + i];
    if (length > bytes->size() - at - 12) return;
    const uint32_t crc = Crc32({bytes->data() + at + 4, 4 + length});
    for (size_t i = 0; i < 4; ++i) (*bytes)[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
}

TEST_CASE("Decodes or refuses every mutation of a small file, and reads nothing outside it") {
  // Tests more mutations: VITRINE_MUTATIONS=100000 image_test "Decodes or refuses*" --rng-seed time
  const char* rounds_text = std::getenv("VITRINE_MUTATIONS");
  const int rounds = rounds_text == nullptr ? 300 : std::atoi(rounds_text);
  Random random(rounds_text == nullptr ? 1 : Catch::getSeed());
  int decoded = 0, refused = 0;
  for (const char* name :
       {"tiny_5x17.jpg", "tiny_3x2.jpg", "orientation_6.jpg", "restart.jpg", "progressive.jpg", "cmyk.jpg",
        "rgb_440.jpg", "no_tables.jpg", "thumbnail_and_trailer.jpg", "gray_16.png", "palette_transparent.png",
        "turned.png", "one_bit.png", "palette.bmp", "rgb.bmp", "maximum_1000.ppm", "maximum_100.pgm"}) {
    const std::vector<uint8_t> original = ReadFile(ImageFixtures() / "decode" / name);
    for (int round = 0; round < rounds; ++round) {
      std::vector<uint8_t> bytes = original;
      for (size_t times = 1 + Below(4, &random); times > 0; --times) MutateOnce(&bytes, &random);
      if (round % 4 != 0) FixChecksums(&bytes);
      bytes.shrink_to_fit();
      INFO(name << ", round " << round);
      const Result<Image> image = Image::Decode(bytes);
      image.ok() ? ++decoded : ++refused;
      if (image.ok()) {
        REQUIRE(image.value().width() > 0);
        REQUIRE(image.value().height() > 0);
      } else {
        REQUIRE(std::string_view(image.status().message()).size() > 10);
      }
    }
  }
  CHECK(decoded > 100);
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace vitrine
