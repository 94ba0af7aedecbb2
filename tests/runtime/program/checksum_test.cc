// SPDX-License-Identifier: Apache-2.0
#include "runtime/program/program.h"

#include <catch2/catch_test_macros.hpp>
#include <string_view>
#include <vector>

namespace vitrine {
namespace {

uint64_t Sum(std::string_view text) {
  Fletcher64 checksum;
  checksum.Add({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return checksum.value();
}

TEST_CASE("GivesThePublishedValues") {
  // The common test vectors of Fletcher-64 with little-endian words.
  CHECK(Sum("abcde") == 0xC8C6C527646362C6u);
  CHECK(Sum("abcdef") == 0xC8C72B276463C8C6u);
  CHECK(Sum("abcdefgh") == 0x312E2B28CCCAC8C6u);
}

TEST_CASE("IsTheSameInPieces") {
  std::vector<uint8_t> bytes(300'001);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i >> 3);
  Fletcher64 whole, pieces;
  whole.Add(bytes);
  pieces.Add(std::span(bytes).first(4));
  pieces.Add(std::span(bytes).subspan(4, 200'000));
  pieces.Add(std::span(bytes).subspan(200'004));
  CHECK(whole.value() == pieces.value());
}

TEST_CASE("StaysRightWithTheLargestWords") {
  // All words are 2^32 - 2, so the sums come closest to overflow: n * (m - 1) = -n and
  // -n (n + 1) / 2, modulo m.
  constexpr uint64_t kModulus = 0xFFFFFFFFu, kWords = 1'000'000;
  std::vector<uint32_t> words(kWords, 0xFFFFFFFEu);
  Fletcher64 checksum;
  checksum.Add({reinterpret_cast<const uint8_t*>(words.data()), words.size() * 4});
  const uint64_t first = kModulus - kWords, second = kModulus - (kWords * (kWords + 1) / 2) % kModulus;
  CHECK(checksum.value() == (second << 32 | first));
}

}  // namespace
}  // namespace vitrine
