// SPDX-License-Identifier: Apache-2.0
// Taps: the source samples and weights of each target sample of a resized line. Bit for bit those of Pillow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vitrine/status.hpp>

namespace vitrine {

/// The resampling filter; the numbers are those of Pillow's `Resampling`. When a picture shrinks, all filters but nearest
/// become wider, so that every source pixel counts (antialiasing).
enum class Interpolation : uint8_t {
  kNearest = 0,
  kLanczos = 1,
  kBilinear = 2,
  kBicubic = 3,
  kBox = 4,
  kHamming = 5
};

constexpr bool IsInterpolation(int value) { return value >= 0 && value <= 5; }

/// Weights are multiples of 2^-22. With 8 bits of pixel and 2 bits of headroom, for filters with negative lobes, sums have
/// 32 bits.
inline constexpr int kWeightBits = 22;

/// Weights are padded with zeros to a multiple of this, so that kernels process whole groups.
inline constexpr int kTapGroup = 4;

/// One direction of a resize, for the target samples that are kept:
///
///     target[i] = clamp((2^21 + sum over t of source[first[i] + t] * weights[i * stride + t]) >> 22, 0, 255)
///
/// Of the weights of sample i, the first used[i] count and the rest are zero. All samples read are in [source_begin,
/// source_end). The arrays belong to a ResizePlan.
struct Taps {
  int count = 0;  ///< target samples kept
  int source_begin = 0;
  int source_end = 0;
  int widest = 0;         ///< largest number of weights of a sample
  int widest_of_two = 0;  ///< largest number of source samples of two neighbors together
  int stride = 0;         ///< weights stored for a sample: `widest` rounded up to kTapGroup
  /// Every sample is a source sample, unchanged: target[i] = source[source_begin + i].
  bool identity = false;
  int32_t* first = nullptr;    ///< [count]
  int32_t* used = nullptr;     ///< [count] weights that are not padding; at least 0, at most `widest`
  int32_t* weights = nullptr;  ///< [count, stride]
};

/// A resize in one direction from `source` to `target` samples; `count` samples, starting at `begin`, are kept.
struct LineResize {
  int source = 0;
  int target = 0;
  int begin = 0;
  int count = 0;
  Interpolation interpolation = Interpolation::kBicubic;
};

/// Returns the sizes of a resize's taps without the arrays. Sizes must be positive, and [begin, begin + count) within the
/// target.
Taps MeasureTaps(const LineResize& line);

/// Fills the arrays of taps that MeasureTaps(line) returned.
///
/// The arithmetic is that of Pillow 13: Resample.c (double precision, in its order of operations), and Geometry.c for
/// nearest. It must be compiled without contraction of a * b + c.
void ComputeTaps(const LineResize& line, const Taps& taps);

}  // namespace vitrine
