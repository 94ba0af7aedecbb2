// SPDX-License-Identifier: Apache-2.0
// Which source samples make each target sample of a resized line, and with what weights: Pillow's, to the
// last bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vitrine/status.hpp>

namespace vitrine {

/// How a new sample is made from its neighbours; the numbers are Pillow's `Resampling`. All but nearest widen
/// their reach when shrinking, so that every source pixel counts (antialiasing).
enum class Interpolation : uint8_t {
  kNearest = 0,
  kLanczos = 1,
  kBilinear = 2,
  kBicubic = 3,
  kBox = 4,
  kHamming = 5
};

constexpr bool IsInterpolation(int value) { return value >= 0 && value <= 5; }

/// Weights are whole numbers of 2^-22. Eight bits of pixel and two of headroom, for filters with negative
/// lobes, make 32.
inline constexpr int kWeightBits = 22;

/// Weights are stored in groups of this many, filled up with zeros, so that kernels take whole groups.
inline constexpr int kTapGroup = 4;

/// One direction of a resize, for the run of target samples that is kept:
///
///     target[i] = clamp((2^21 + sum over t of source[first[i] + t] * weights[i * stride + t]) >> 22, 0, 255)
///
/// `used[i]` of the weights count, the rest are zero. All samples that are read lie in [source_begin,
/// source_end). Views; the arrays belong to a ResizePlan.
struct Taps {
  int count = 0;  ///< target samples kept
  int source_begin = 0;
  int source_end = 0;
  int widest = 0;         ///< most weights that a sample has
  int widest_of_two = 0;  ///< most source samples that two neighbours have together
  int stride = 0;         ///< weights stored for a sample: `widest` rounded up to kTapGroup
  /// Every sample is a source sample, unchanged: target[i] = source[source_begin + i].
  bool identity = false;
  int32_t* first = nullptr;    ///< [count]
  int32_t* used = nullptr;     ///< [count] weights that are not padding; at least 0, at most `widest`
  int32_t* weights = nullptr;  ///< [count, stride]
};

/// A resize of one direction, from `source` to `target` samples, of which `count` from `begin` on are kept.
struct LineResize {
  int source = 0;
  int target = 0;
  int begin = 0;
  int count = 0;
  Interpolation interpolation = Interpolation::kBicubic;
};

/// Returns the sizes of a resize's taps, with no arrays. Sizes must be positive, and [begin, begin + count)
/// within the target.
Taps MeasureTaps(const LineResize& line);

/// Fills the arrays of what MeasureTaps(line) returned.
///
/// The arithmetic is that of Pillow 13's Resample.c (double precision, in its order of operations), and of
/// its Geometry.c for nearest; it must be compiled without contracting a * b + c.
void ComputeTaps(const LineResize& line, const Taps& taps);

}  // namespace vitrine
