// SPDX-License-Identifier: Apache-2.0
// What kinds of instruction the counter tells apart.
#pragma once

#include <stdint.h>

typedef enum {
  kInstructions,
  kBranches,
  kIntegers,
  kSimd,
  kLoads,
  kStores,
  kSimdLoads,    // also in kLoads
  kSimdStores,   // also in kStores
  kLoadBytes,
  kStoreBytes,
  kDots,           // sdot, udot, usdot, sudot; also in kSimd, as are all below
  kMatrices,       // smmla, ummla, usmmla
  kWideMultiplies, // smull, umull
  kWideMultiplyAdds,
  kPairwiseAdds,   // sadalp, uadalp
  kFusedF32,
  kFusedF16,
  kScalable,       // SVE and SME
  kClassCount
} Class;

// The JSON field of each class, in the order of Class.
extern const char *const kClassNames[kClassCount];

// Adds one A64 instruction to `counts`.
void ClassifyA64(uint32_t word, uint16_t counts[kClassCount]);

// Adds one 32-bit A32 instruction, or one of T32 with its leading halfword in the upper half. Bytes are not counted.
void ClassifyA32(uint32_t word, uint16_t counts[kClassCount]);
void ClassifyT32(uint32_t word, uint16_t counts[kClassCount]);

// Adds one 16-bit T32 instruction.
void ClassifyT16(uint16_t halfword, uint16_t counts[kClassCount]);
