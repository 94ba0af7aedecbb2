// SPDX-License-Identifier: Apache-2.0
// The inner loops of a resize, each over one row, with Highway; the plain version of each is in
// resize_rows_reference.cc.
//
// All work on bytes and on 32-bit sums, are exact, and give the same result on every
// instruction set. `weights` come from Taps: padded with zeros to a multiple of kTapGroup, and
// such that no sum leaves 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/image/taps.h"

namespace vitrine {

/// Kernels read up to this many bytes past the last pixel of a row in scratch memory, to
/// weigh them with zero.
inline constexpr size_t kRowPadding = 64;

/// Resizes a row of pixels of four bytes, of which three count: rgb[3 * i + c] for i in [0, taps.count).
/// `rgbx` points at source sample taps.source_begin and has kRowPadding readable bytes behind its last pixel.
/// Writes 3 * taps.count bytes and no more. About 2 vector operations for each output pixel and tap.
void ResizeRowRgb(const uint8_t* rgbx, const Taps& taps, uint8_t* rgb);

/// The same for pixels of one byte. Reads nothing past the last pixel.
void ResizeRowGray(const uint8_t* gray, const Taps& taps, uint8_t* out);

/// Mixes `used` rows of `bytes` bytes into one: out[x] = (2^21 + sum over t of rows[t][x] * weights[t]) >>
/// 22, clamped. Reads and writes nothing past `bytes`. About 0.7 vector operations for each byte and row.
void MixRows(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out);

/// Spreads `count` pixels of three bytes over four bytes each, the first byte third where `reversed`. The
/// fourth is undefined. Reads and writes nothing past the last pixel.
void SpreadRgb(const uint8_t* rgb, int count, bool reversed, uint8_t* rgbx);

namespace reference {
void ResizeRowRgb(const uint8_t* rgbx, const Taps& taps, uint8_t* rgb);
void ResizeRowGray(const uint8_t* gray, const Taps& taps, uint8_t* out);
void MixRows(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out);
void SpreadRgb(const uint8_t* rgb, int count, bool reversed, uint8_t* rgbx);
}  // namespace reference

}  // namespace vitrine
