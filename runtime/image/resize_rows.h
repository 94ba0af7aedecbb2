// SPDX-License-Identifier: Apache-2.0
// The inner loops of a resize, each over one row, with Highway; the plain version of each is in namespace reference.
//
// All work on bytes with 32-bit sums, are exact, and give the same result on every instruction set. `weights` come from
// Taps: padded with zeros to a multiple of kTapGroup, and small enough that no sum exceeds 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/image/taps.h"

namespace vitrine {

/// Kernels read up to this many bytes past the last pixel of a row in scratch memory, with weights of zero.
inline constexpr size_t kRowPadding = 64;

/// Resizes a row of four-byte pixels, of which three bytes count: writes rgb[3 * i + c] for i in [0, taps.count). `rgbx`
/// points at source sample taps.source_begin and has kRowPadding readable bytes after its last pixel. Writes exactly
/// 3 * taps.count bytes. About 2 vector operations per output pixel and tap.
void ResizeRowRgb(const uint8_t* rgbx, const Taps& taps, uint8_t* rgb);

/// Resizes a row of one-byte pixels. Reads nothing past the last pixel.
void ResizeRowGray(const uint8_t* gray, const Taps& taps, uint8_t* out);

/// Mixes `used` rows of `bytes` bytes into one: out[x] = (2^21 + sum over t of rows[t][x] * weights[t]) >>
/// 22, clamped. Reads and writes nothing past `bytes`. About 0.7 vector operations per byte and row.
void MixRows(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out);

/// Copies `count` pixels of three bytes to four bytes each; if `reversed`, the first and third byte are exchanged. The
/// fourth byte is undefined. Reads and writes nothing past the last pixel.
void SpreadRgb(const uint8_t* rgb, int count, bool reversed, uint8_t* rgbx);

namespace reference {
void ResizeRowRgb(const uint8_t* rgbx, const Taps& taps, uint8_t* rgb);
void ResizeRowGray(const uint8_t* gray, const Taps& taps, uint8_t* out);
void MixRows(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out);
void SpreadRgb(const uint8_t* rgb, int count, bool reversed, uint8_t* rgbx);
}  // namespace reference

}  // namespace vitrine
