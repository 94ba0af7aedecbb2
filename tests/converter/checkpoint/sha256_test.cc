// SPDX-License-Identifier: Apache-2.0
// Compares with NIST's examples (FIPS 180-4; csrc.nist.gov, "Example Values", SHA-256) and with the plain
// reference.
#include "converter/checkpoint/sha256.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

namespace vitrine::checkpoint {
namespace {

std::string Digest(const std::string& text, size_t piece = SIZE_MAX) {
  Sha256 hash;
  for (size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    hash.Update(std::as_bytes(std::span(text).subspan(at, std::min(piece, text.size() - at))));
  }
  return hash.Hex();
}

TEST_CASE("The digests are NIST's") {
  CHECK(Digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(Digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnop"
               "qrsmno"
               "pqrstnopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(Digest(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("The digest does not depend on how the bytes are split") {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  const std::string whole = Digest(text);
  for (const size_t piece : {1, 3, 55, 63, 64, 65, 128}) CHECK(Digest(text, piece) == whole);
}

TEST_CASE("Every length around a block's end gives the digest of the plain rounds") {
  for (size_t length = 0; length < 200; ++length) {
    std::vector<std::byte> padded(length, std::byte{0x5a});
    padded.push_back(std::byte{0x80});
    while (padded.size() % 64 != 56) padded.push_back(std::byte{0});
    for (int i = 7; i >= 0; --i) padded.push_back(static_cast<std::byte>(length * 8 >> (8 * i)));
    std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    HashBlocksPlain(state, padded.data(), padded.size() / 64);
    char hex[9];
    std::snprintf(hex, sizeof hex, "%08x", state[0]);
    CHECK(Digest(std::string(length, 'Z')).substr(0, 8) == hex);
  }
}

}  // namespace
}  // namespace vitrine::checkpoint
