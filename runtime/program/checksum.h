// SPDX-License-Identifier: Apache-2.0
// Fletcher-64, the checksum of model files: finds every flipped bit and costs two additions a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine {

/// Fletcher-64 over little-endian 32-bit words, computed piece by piece.
/// Source: J. G. Fletcher, An Arithmetic Checksum for Serial Transmissions, IEEE Trans.
/// Communications 30(1), 1982.
class Fletcher64 {
 public:
  /// Adds bytes. Every piece but the last must be a multiple of 4 bytes; the last word is padded with zeros.
  void Add(std::span<const uint8_t> bytes);
  /// Returns the checksum of all that was added.
  uint64_t value() const { return second_ << 32 | first_; }

 private:
  uint64_t first_ = 0, second_ = 0;
};

}  // namespace vitrine
