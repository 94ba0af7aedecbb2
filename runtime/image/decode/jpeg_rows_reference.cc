// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runtime/image/decode/jpeg_rows.h"

namespace vitrine::reference {
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

void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* rgb) {
  constexpr int kHalf = 1 << 15;
  for (int i = 0; i < count; ++i, rgb += 3) {
    const int blue = cb[i] - 128, red = cr[i] - 128;
    rgb[0] = Clamp(y[i] + ((91881 * red + kHalf) >> 16));                  // 1.40200
    rgb[1] = Clamp(y[i] + ((-22554 * blue - 46802 * red + kHalf) >> 16));  // 0.34414, 0.71414
    rgb[2] = Clamp(y[i] + ((116130 * blue + kHalf) >> 16));                // 1.77200
  }
}

}  // namespace vitrine::reference
