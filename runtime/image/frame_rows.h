// SPDX-License-Identifier: Apache-2.0
// The inner loops of resizing a camera's frame, with Highway; the plain version of each is in namespace reference.
//
// Like the loops of resize_rows.h, but with 16-bit weights and samples: four products per instruction instead of two. A sum
// is off by at most 0.05 level before rounding, so few samples of a narrowed row differ from Pillow's, by one level.
// Weights must be below one half: with larger ones two such samples could add up to two levels in a pixel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/image/taps.h"

namespace vitrine {

/// Weights are multiples of 2^-16 below one half.
inline constexpr int kFrameWeightBits = 16;

/// The weights of a target sample are padded with zeros to a multiple of this.
inline constexpr int kFrameTapGroup = 8;

/// Samples of padding after a narrowed row.
inline constexpr int kFrameRowPadding = 16;

/// Taps with 16-bit weights of the same sum. Two neighboring target samples share their source samples, which are then
/// read once; a weight is zero where a source sample counts for the other target sample only.
struct FrameTaps {
  int pairs = 0;          ///< pairs of target samples; with an odd number, the last sample has zero weights
  int widest = 0;         ///< largest number of source samples of the first target sample of a pair
  int widest_of_two = 0;  ///< largest number of source samples of both target samples of a pair
  int stride = 0;         ///< `widest_of_two`, rounded up to kFrameTapGroup
  int32_t* first = nullptr;    ///< [pairs] relative to the row's first sample
  int16_t* weights = nullptr;  ///< [pairs, 2, stride]
};

/// 16-bit weights of one direction: [count, stride].
struct FrameWeights {
  int stride = 0;
  int16_t* weights = nullptr;
};

/// Round `taps` to 16 bits: for NarrowPlanes(), whose rows start with source sample `begin`, and for MixFrameRows(). The
/// caller provides the arrays. Return false, with undefined arrays, where a weight is too large: when the picture does not
/// shrink to about half.
bool RoundTaps(const Taps& taps, int begin, FrameTaps* frame);
bool RoundTaps(const Taps& taps, FrameWeights* frame);

/// Resizes a row of three planes, `plane_stride` samples apart, of values 0..255: rgb[3 * i + c] for i in [0,
/// taps.count). Reads up to taps.stride + 8 samples past the last one that counts, writes up to kFrameRowPadding
/// past 3 * taps.count. 9 vector operations per output pixel and eight taps.
void NarrowPlanes(const int16_t* planes, ptrdiff_t plane_stride, const FrameTaps& taps, int16_t* rgb);

/// Mixes `used` rows of `count` samples into bytes. If `used` is odd, one more row with a weight of zero must follow. Reads
/// and writes nothing past the last sample. 0.4 vector operations per sample and row.
void MixFrameRows(const int16_t* const* rows, const int16_t* weights, int used, size_t count, uint8_t* out);

namespace reference {
void NarrowPlanes(const int16_t* planes, ptrdiff_t plane_stride, const FrameTaps& taps, int16_t* rgb);
void MixFrameRows(const int16_t* const* rows, const int16_t* weights, int used, size_t count, uint8_t* out);
}  // namespace reference

}  // namespace vitrine
