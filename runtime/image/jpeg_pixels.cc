// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/jpeg_pixels.h"

#include <algorithm>

namespace vitrine {
namespace {

uint8_t Clamp(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

constexpr int kConstantBits = 13;
constexpr int kPassBits = 2;

/// Sums are unsigned, so that those of damaged files wrap instead of being undefined.
using Sum = uint32_t;

constexpr Sum Fixed(double value) {
  return static_cast<Sum>(static_cast<int32_t>(value * (1 << kConstantBits) + (value < 0 ? -0.5 : 0.5)));
}

int Descale(Sum value, int bits) { return static_cast<int32_t>(value + (Sum{1} << (bits - 1))) >> bits; }

/// Eight coefficients to eight samples, scaled up by 2^kConstantBits.
void Transform8(const Sum in[8], Sum out[8]) {
  // Even part: a rotation by 6 pi / 16, and butterflies.
  const Sum z1 = (in[2] + in[6]) * Fixed(0.541196100);
  const Sum even2 = z1 + in[6] * Fixed(-1.847759065), even3 = z1 + in[2] * Fixed(0.765366865);
  const Sum even0 = (in[0] + in[4]) << kConstantBits, even1 = (in[0] - in[4]) << kConstantBits;
  const Sum a0 = even0 + even3, a3 = even0 - even3, a1 = even1 + even2, a2 = even1 - even2;

  // Odd part: the figure 8 of the paper.
  const Sum z5 = (in[7] + in[3] + in[5] + in[1]) * Fixed(1.175875602);
  const Sum s71 = (in[7] + in[1]) * Fixed(-0.899976223), s53 = (in[5] + in[3]) * Fixed(-2.562915447);
  const Sum s73 = (in[7] + in[3]) * Fixed(-1.961570560) + z5,
            s51 = (in[5] + in[1]) * Fixed(-0.390180644) + z5;
  const Sum b0 = in[7] * Fixed(0.298631336) + s71 + s73, b1 = in[5] * Fixed(2.053119869) + s53 + s51;
  const Sum b2 = in[3] * Fixed(3.072711026) + s53 + s73, b3 = in[1] * Fixed(1.501321110) + s71 + s51;

  out[0] = a0 + b3, out[7] = a0 - b3;
  out[1] = a1 + b2, out[6] = a1 - b2;
  out[2] = a2 + b1, out[5] = a2 - b1;
  out[3] = a3 + b0, out[4] = a3 - b0;
}

/// The row of a plane nearest to y that exists.
const uint8_t* RowAt(const JpegPlane& plane, int y) {
  return plane.samples + static_cast<ptrdiff_t>(std::clamp(y, 0, plane.height - 1)) * plane.stride;
}

/// Twice as wide: each sample becomes two, 3/4 itself and 1/4 the neighbour on that side; halves are rounded
/// up and down by turns. The outermost stay as they are.
void WidenRow(const uint8_t* in, int width, uint8_t* out) {
  out[0] = in[0];
  out[1] = static_cast<uint8_t>((3 * in[0] + in[1] + 2) >> 2);
  for (int x = 1; x < width - 1; ++x) {
    out[2 * x] = static_cast<uint8_t>((3 * in[x] + in[x - 1] + 1) >> 2);
    out[2 * x + 1] = static_cast<uint8_t>((3 * in[x] + in[x + 1] + 2) >> 2);
  }
  out[2 * width - 2] = static_cast<uint8_t>((3 * in[width - 1] + in[width - 2] + 1) >> 2);
  out[2 * width - 1] = in[width - 1];
}

/// Twice as high: 3/4 the near row and 1/4 the far one.
void MixRowPair(const uint8_t* near, const uint8_t* far, int width, int bias, uint8_t* out) {
  for (int x = 0; x < width; ++x) out[x] = static_cast<uint8_t>((3 * near[x] + far[x] + bias) >> 2);
}

/// Twice as wide and as high, in one step of 1/16.
void WidenRowPair(const uint8_t* near, const uint8_t* far, int width, uint8_t* out) {
  int last = 3 * near[0] + far[0], here = last, next = 3 * near[1] + far[1];
  out[0] = static_cast<uint8_t>((4 * here + 8) >> 4);
  out[1] = static_cast<uint8_t>((3 * here + next + 7) >> 4);
  for (int x = 1; x < width - 1; ++x) {
    last = here, here = next, next = 3 * near[x + 1] + far[x + 1];
    out[2 * x] = static_cast<uint8_t>((3 * here + last + 8) >> 4);
    out[2 * x + 1] = static_cast<uint8_t>((3 * here + next + 7) >> 4);
  }
  out[2 * width - 2] = static_cast<uint8_t>((3 * next + here + 8) >> 4);
  out[2 * width - 1] = static_cast<uint8_t>((4 * next + 7) >> 4);
}

void RepeatSamples(const uint8_t* in, int width, int times, uint8_t* out) {
  for (int x = 0; x < width; ++x, out += times) std::fill_n(out, times, in[x]);
}

/// a * b / 255, rounded.
int MultiplyFractions(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

}  // namespace

void InverseTransform(uint8_t* out, int stride, short coefficients[64]) {
  Sum columns[64], in[8], samples[8];
  for (int x = 0; x < 8; ++x) {
    int others = 0;
    for (int y = 0; y < 8; ++y) {
      in[y] = static_cast<Sum>(int32_t{coefficients[8 * y + x]});
      if (y > 0) others |= coefficients[8 * y + x];
    }
    if (others == 0) {  // most columns of a photo: all samples are the same, and are what the transform gives
      for (int y = 0; y < 8; ++y) columns[8 * y + x] = in[0] << kPassBits;
      continue;
    }
    Transform8(in, samples);
    for (int y = 0; y < 8; ++y) {
      columns[8 * y + x] = static_cast<Sum>(Descale(samples[y], kConstantBits - kPassBits));
    }
  }
  for (int y = 0; y < 8; ++y, out += stride) {
    Transform8(columns + 8 * y, samples);
    for (int x = 0; x < 8; ++x) out[x] = Clamp(Descale(samples[x], kConstantBits + kPassBits + 3) + 128);
  }
}

const uint8_t* UpsampleRow(const JpegPlane& plane, int y, uint8_t* row) {
  const int sample_y = y / plane.down;
  const uint8_t* near = RowAt(plane, sample_y);
  const bool upper = y % 2 == 0;
  const uint8_t* far = RowAt(plane, upper ? sample_y - 1 : sample_y + 1);
  if (plane.across == 1 && plane.down == 1) return near;
  if (plane.across == 2 && plane.down == 1 && plane.width > 2) {
    WidenRow(near, plane.width, row);
  } else if (plane.across == 1 && plane.down == 2) {
    MixRowPair(near, far, plane.width, upper ? 1 : 2, row);
  } else if (plane.across == 2 && plane.down == 2 && plane.width > 2) {
    WidenRowPair(near, far, plane.width, row);
  } else {
    RepeatSamples(near, plane.width, plane.across, row);
  }
  return row;
}

void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* rgb) {
  constexpr int kHalf = 1 << 15;
  for (int i = 0; i < count; ++i, rgb += 3) {
    const int blue = cb[i] - 128, red = cr[i] - 128;
    rgb[0] = Clamp(y[i] + ((91881 * red + kHalf) >> 16));                  // 1.40200
    rgb[1] = Clamp(y[i] + ((-22554 * blue - 46802 * red + kHalf) >> 16));  // 0.34414, 0.71414
    rgb[2] = Clamp(y[i] + ((116130 * blue + kHalf) >> 16));                // 1.77200
  }
}

void CmykToRgb(const uint8_t* const planes[4], bool is_ycck, int count, uint8_t* rgb) {
  for (int i = 0; i < count; ++i, rgb += 3) {
    uint8_t ink[3] = {planes[0][i], planes[1][i], planes[2][i]};
    if (is_ycck) {
      YccToRgb(&ink[0], &ink[1], &ink[2], 1, ink);
    } else {
      for (uint8_t& amount : ink) amount = static_cast<uint8_t>(255 - amount);
    }
    const int white = planes[3][i];
    for (int channel = 0; channel < 3; ++channel) {
      rgb[channel] = Clamp(white - MultiplyFractions(ink[channel], white));
    }
  }
}

}  // namespace vitrine
