// SPDX-License-Identifier: Apache-2.0
// SQNR: how far quantized values are from what they should be.
#pragma once

// First, because it checks for C++20.
#include <vitrine/status.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace vitrine {

/// Signal-to-quantization-noise ratio, summed over any number of tensors. Does not allocate.
struct Sqnr {
  double signal = 0;  ///< sum of expected^2
  double noise = 0;   ///< sum of (found - expected)^2

  /// Adds values of the same size.
  void Add(std::span<const float> expected, std::span<const float> found) {
    for (size_t i = 0; i < expected.size(); ++i) {
      const double difference = double{found[i]} - double{expected[i]};
      signal += double{expected[i]} * double{expected[i]};
      noise += difference * difference;
    }
  }

  /// Returns 10 log10(signal / noise), at most 200; NaN where a value is not a number.
  double decibels() const {
    constexpr double kMost = 200;
    if (noise <= 0) return kMost;
    const double db = 10 * std::log10(std::max(signal, 1e-30) / noise);
    return db > kMost ? kMost : db;
  }
};

}  // namespace vitrine
