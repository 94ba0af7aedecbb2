// SPDX-License-Identifier: Apache-2.0
#include "runtime/program/checksum.h"

#include <algorithm>
#include <cstring>

namespace vitrine {
namespace {

constexpr uint64_t kModulus = 0xFFFFFFFFu;
// With sums below 2^32 at the start, 2^15 words add at most 2^47 to the first and 2^62 + 2^47 to the second.
constexpr size_t kWordsPerReduction = size_t{1} << 15;

}  // namespace

void Fletcher64::Add(std::span<const uint8_t> bytes) {
  const uint8_t* at = bytes.data();
  size_t words = bytes.size() / 4;
  while (words > 0) {
    const size_t count = std::min(words, kWordsPerReduction);
    for (size_t i = 0; i < count; ++i, at += 4) {
      uint32_t word;
      std::memcpy(&word, at, 4);
      first_ += word;
      second_ += first_;
    }
    first_ %= kModulus;
    second_ %= kModulus;
    words -= count;
  }
  if (const size_t rest = bytes.size() % 4; rest != 0) {
    uint32_t word = 0;
    std::memcpy(&word, at, rest);
    first_ = (first_ + word) % kModulus;
    second_ = (second_ + first_) % kModulus;
  }
}

}  // namespace vitrine
