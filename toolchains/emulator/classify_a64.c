// SPDX-License-Identifier: Apache-2.0
// A64 instructions by kind. Source: Arm Architecture Reference Manual for A-profile (DDI 0487), chapter C4.
#include <stdbool.h>
#include <stddef.h>

#include "classify.h"

const char *const kClassNames[kClassCount] = {
    "instructions", "branches",    "integers", "simd",     "loads", "stores", "simd_loads", "simd_stores", "load_bytes",
    "store_bytes",  "dot",         "mmla",     "mull",     "mlal",  "adalp",  "fmla_f32",   "fmla_f16",    "sve"};

static int Bits(uint32_t word, int high, int low) { return word >> low & ((1u << (high - low + 1)) - 1); }

static void AddTransfer(bool load, bool simd, int bytes, uint16_t *counts) {
  counts[load ? kLoads : kStores]++;
  counts[load ? kLoadBytes : kStoreBytes] += bytes;
  if (simd) counts[load ? kSimdLoads : kSimdStores]++;
}

// ld1 to ld4 and st1 to st4: whole registers, or one lane of each (or the same value in all lanes).
static int StructureBytes(uint32_t word) {
  if (Bits(word, 24, 24)) {
    const int registers = (Bits(word, 13, 13) << 1 | Bits(word, 21, 21)) + 1, scale = Bits(word, 15, 14);
    if (scale == 3) return registers << Bits(word, 11, 10);
    return registers * (scale == 2 && Bits(word, 10, 10) ? 8 : 1 << scale);
  }
  static const uint8_t kRegisters[16] = {4, 4, 4, 4, 3, 3, 3, 1, 2, 2, 2, 2, 2, 2, 2, 2};
  return kRegisters[Bits(word, 15, 12)] * (Bits(word, 30, 30) ? 16 : 8);
}

static void ClassifyTransfer(uint32_t word, uint16_t *counts) {
  const bool simd = Bits(word, 26, 26);
  const int size = Bits(word, 31, 30), opc = Bits(word, 23, 22);
  const bool load = Bits(word, 22, 22);
  if ((word & 0x3B000000) == 0x18000000) {  // literal; size 3 without SIMD prefetches
    if (simd || size != 3) AddTransfer(true, simd, simd ? 4 << size : size == 1 ? 8 : 4, counts);
  } else if ((word & 0x3A000000) == 0x28000000) {  // pair
    AddTransfer(load, simd, 2 * (simd ? 4 << size : size & 2 ? 8 : 4), counts);
  } else if ((word & 0xBE000000) == 0x0C000000) {  // structures
    AddTransfer(load, true, StructureBytes(word), counts);
  } else if ((word & 0x3F000000) == 0x08000000) {  // exclusive and ordered
    AddTransfer(load, false, 1 << size, counts);
  } else if (simd) {
    AddTransfer(load, true, opc & 2 ? 16 : 1 << size, counts);
  } else if (size != 3 || opc != 2) {  // which prefetches
    AddTransfer(opc != 0, false, 1 << size, counts);
  }
}

static const struct {
  uint32_t mask, value;
  Class class;
} kSimdPatterns[] = {
    {0x9F20FC00, 0x0E009400, kDots},  // sdot, udot
    {0x9F00F400, 0x0F00E000, kDots},  // by element
    {0xBFE0FC00, 0x0E809C00, kDots},  // usdot
    {0xBF00F400, 0x0F00F000, kDots},  // usdot, sudot by element
    {0xDF20F400, 0x4E00A400, kMatrices},
    {0x9F20FC00, 0x0E20C000, kWideMultiplies},
    {0x9F00F400, 0x0F00A000, kWideMultiplies},
    {0x9F20FC00, 0x0E208000, kWideMultiplyAdds},
    {0x9F00F400, 0x0F002000, kWideMultiplyAdds},
    {0x9F3FFC00, 0x0E206800, kPairwiseAdds},
    {0xBF20FC00, 0x0E20CC00, kFusedF32},
    {0xBF80F400, 0x0F801000, kFusedF32},
    {0xBF60FC00, 0x0E400C00, kFusedF16},
    {0xBFC0F400, 0x0F001000, kFusedF16},
};

static void ClassifySimd(uint32_t word, uint16_t *counts) {
  counts[kSimd]++;
  for (size_t i = 0; i < sizeof kSimdPatterns / sizeof *kSimdPatterns; i++) {
    if ((word & kSimdPatterns[i].mask) == kSimdPatterns[i].value) {
      counts[kSimdPatterns[i].class]++;
      return;
    }
  }
}

void ClassifyA64(uint32_t word, uint16_t counts[kClassCount]) {
  const int group = Bits(word, 28, 25);
  counts[kInstructions]++;
  if (group == 0 || group == 2) {
    counts[kScalable]++;
  } else if ((group & 14) == 10) {
    counts[kBranches]++;
  } else if ((group & 5) == 4) {
    ClassifyTransfer(word, counts);
  } else if ((group & 7) == 7) {
    ClassifySimd(word, counts);
  } else {
    counts[kIntegers]++;
  }
}
