// SPDX-License-Identifier: Apache-2.0
// How processors other than this one read the weights of Linear, so that they can be packed ahead of time.
//
// XNNPACK packs for the processor that it runs on and for no other. What it writes for ARM is panels of
// `columns` output channels:
//
//   f32            bias                   weights
//   f32_qc8w       bias                   weights   scales
//   qd8_f32_qc8w   - sum of the weights   weights   scales   bias
//
// Weights are groups of `group` inputs of one channel, for all channels of the panel, then the next inputs.
// Among `rotation` such groups, channel c begins with group c modulo `rotation`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vitrine/vitrine.hpp>

#include "runtime/program/program.h"
#include "runtime/ops/packing/packed_weights.h"

namespace vitrine {

struct PanelShape {
  size_t columns, group, rotation;  // XNNPACK's nr, kr, sr
};

/// What distinguishes a class of processors: all other kernels read the same weights on each of them.
struct PackedLayout {
  CpuClass cpu;
  PanelShape qd8;     ///< of XNNPACK's qd8_f32_qc8w
  size_t int8_group;  ///< what kernels::LinearInt8Group is there
};

/// Returns the layout of the class that `cpu` names, or is in; null where there is none.
const PackedLayout* FindPackedLayout(std::string_view cpu);

struct MatrixToPack {
  const void* weight;   ///< [outputs, inputs], f32 or int8
  const float* scales;  ///< [outputs]; none for f32
  const float* bias;    ///< [outputs] or none
  size_t outputs, inputs;
};

/// Packs for `kernel` of those processors into `packed`, byte for byte what one of them writes. Returns false
/// when there is no memory.
bool Pack(const PackedLayout& layout, PackedKernel kernel, const MatrixToPack& weights,
          PackedWeights& packed);

/// Verifies a Linear's constants and packs them, unless another Linear has, or its kernel is one of
/// OwnLayoutChecksum's. Fails with kInvalidModel when they are damaged, kOutOfMemory.
Status PackLinear(const Program& program, const schema::Linear& op, const PackedLayout& layout,
                  PackedWeights& packed);

/// Returns the checksum of small matrices that each kind of kernel packs: of those processors, or of this one
/// where `layout` is null. XNNPACK has been started.
uint64_t LayoutChecksum(const PackedLayout* layout);

/// The same of the kernels that only the processor itself packs for: qs8_qc8w and qd8_f32_qb4w.
uint64_t OwnLayoutChecksum();

}  // namespace vitrine
