// SPDX-License-Identifier: Apache-2.0
// The inner loops of resizing a camera's frame, with Highway; the plain version of each is in
// frame_rows_reference.cc.
//
// As those of resize_rows.h, but with weights of 16 bits on samples of 16 bits, four products an instruction
// instead of two of half the use. A sum is off by at most 0.05 of a level before it is rounded, so that few
// samples of a narrowed row come out a level beside Pillow's. Weights below a half are asked for: with larger
// ones two such samples could add up to two levels in a pixel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/image/taps.h"

namespace vitrine {

/// Weights are whole numbers of 2^-16, below a half.
inline constexpr int kFrameWeightBits = 16;

/// Weights of a target sample are filled up with zeros to a multiple of this.
inline constexpr int kFrameTapGroup = 8;

/// Room that must be behind a narrowed row.
inline constexpr int kFrameRowPadding = 16;

/// Taps with weights of 16 bits, of the same sum. Two target samples that are neighbours share the source
/// samples that they are made of, so that those are read once; the weights have zeros where a sample counts
/// for the other only.
struct FrameTaps {
  int pairs = 0;             ///< of target samples; where their number is odd, the last has weights of zero
  int widest = 0;            ///< most source samples from a pair's first on that its first target sample has
  int widest_of_two = 0;     ///< and that its second has
  int stride = 0;            ///< `widest_of_two`, rounded up to kFrameTapGroup
  int32_t* first = nullptr;  ///< [pairs] relative to the row's first sample
  int16_t* weights = nullptr;  ///< [pairs, 2, stride]
};

/// Taps with weights of 16 bits of one direction: [count, stride].
struct FrameWeights {
  int stride = 0;
  int16_t* weights = nullptr;
};

/// Rounds `taps` to 16 bits: for NarrowPlanes(), whose rows start with source sample `begin`, and for
/// MixFrameRows(). The arrays are there. Returns false, and leaves them undefined, where a weight does not
/// fit: when the picture does not get about half as large.
bool RoundTaps(const Taps& taps, int begin, FrameTaps* frame);
bool RoundTaps(const Taps& taps, FrameWeights* frame);

/// Resizes a row of three planes, `plane_stride` samples apart, of values 0..255: rgb[3 * i + c] for i in [0,
/// taps.count). Reads up to taps.stride + 8 samples past the last that counts, writes up to kFrameRowPadding
/// past 3 * taps.count. 9 vector operations for an output pixel and eight taps.
void NarrowPlanes(const int16_t* planes, ptrdiff_t plane_stride, const FrameTaps& taps, int16_t* rgb);

/// Mixes `used` rows of `count` samples into bytes. Where that is odd, one row more is there, with a weight
/// of zero. Reads and writes nothing past the last. 0.4 vector operations for each sample and row.
void MixFrameRows(const int16_t* const* rows, const int16_t* weights, int used, size_t count, uint8_t* out);

namespace reference {
void NarrowPlanes(const int16_t* planes, ptrdiff_t plane_stride, const FrameTaps& taps, int16_t* rgb);
void MixFrameRows(const int16_t* const* rows, const int16_t* weights, int used, size_t count, uint8_t* out);
}  // namespace reference

}  // namespace vitrine
