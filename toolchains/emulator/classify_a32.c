// SPDX-License-Identifier: Apache-2.0
// A32 and T32 instructions by kind, coarsely. Source: Arm Architecture Reference Manual (DDI 0487), chapters F3 and F4.
#include <stdbool.h>

#include "classify.h"

static int Bits(uint32_t word, int high, int low) { return word >> low & ((1u << (high - low + 1)) - 1); }

static void AddTransfer(bool load, bool simd, uint16_t *counts) {
  counts[load ? kLoads : kStores]++;
  if (simd) counts[load ? kSimdLoads : kSimdStores]++;
}

// Advanced SIMD data processing. Fields below bit 24 are those of A32 and T32 alike.
static void ClassifySimd(uint32_t word, uint16_t *counts) {
  counts[kSimd]++;
  const int operation = Bits(word, 11, 8);
  const bool long_form = Bits(word, 23, 23) && Bits(word, 21, 20) != 3;
  const bool by_scalar = Bits(word, 6, 6), bit4 = Bits(word, 4, 4);
  if (long_form && !by_scalar && !bit4) {
    if (operation == 8) counts[kWideMultiplyAdds]++;
    if (operation == 12) counts[kWideMultiplies]++;
  } else if (long_form && by_scalar && !bit4) {
    if (operation == 2) counts[kWideMultiplyAdds]++;
    if (operation == 10) counts[kWideMultiplies]++;
    if (operation == 1) counts[kFusedF32]++;
  } else if (!Bits(word, 23, 23) && operation == 13 && bit4) {
    counts[kFusedF32]++;
  }
}

// Floating-point and SIMD register transfers, which A32 and T32 encode alike. Returns whether it was one.
static bool ClassifyCoprocessor(uint32_t word, uint16_t *counts) {
  if (Bits(word, 11, 9) != 5) return false;
  if (Bits(word, 27, 24) == 14) {
    counts[kSimd]++;
  } else if (Bits(word, 27, 25) == 6) {
    AddTransfer(Bits(word, 20, 20), true, counts);
  } else {
    return false;
  }
  return true;
}

void ClassifyA32(uint32_t word, uint16_t counts[kClassCount]) {
  counts[kInstructions]++;
  const int group = Bits(word, 27, 25);
  if (word >> 25 == 0x79) {
    ClassifySimd(word, counts);
  } else if ((word & 0xFF100000) == 0xF4000000) {
    AddTransfer(Bits(word, 21, 21), true, counts);
  } else if (word >> 28 == 15 && group == 6) {
    counts[kSimd]++;
    counts[kDots]++;
  } else if (ClassifyCoprocessor(word, counts)) {
  } else if (group == 5) {
    counts[kBranches]++;
  } else if (group == 2 || group == 4 || (group == 3 && !Bits(word, 4, 4))) {
    AddTransfer(Bits(word, 20, 20), false, counts);
  } else {
    counts[kIntegers]++;
  }
}

void ClassifyT32(uint32_t word, uint16_t counts[kClassCount]) {
  counts[kInstructions]++;
  if ((word & 0xEF000000) == 0xEF000000) {
    ClassifySimd(word, counts);
  } else if ((word & 0xFF100000) == 0xF9000000) {
    AddTransfer(Bits(word, 21, 21), true, counts);
  } else if (ClassifyCoprocessor(word, counts)) {
  } else if (word >> 25 == 0x7C) {
    AddTransfer(Bits(word, 20, 20), false, counts);
  } else if ((word & 0xF8008000) == 0xF0008000) {
    counts[kBranches]++;
  } else {
    counts[kIntegers]++;
  }
}

void ClassifyT16(uint16_t halfword, uint16_t counts[kClassCount]) {
  counts[kInstructions]++;
  if (halfword >> 12 == 13 || halfword >> 11 == 28) {
    counts[kBranches]++;
  } else if (halfword >> 13 == 3 || halfword >> 12 == 8 || halfword >> 12 == 9) {
    AddTransfer(Bits(halfword, 11, 11), false, counts);
  } else {
    counts[kIntegers]++;
  }
}
