// SPDX-License-Identifier: Apache-2.0
// The layouts of packed weights on classes of ARM CPUs, so that weights can be packed for another CPU.
//
// XNNPACK packs only for the CPU that it runs on. On ARM it writes panels of `columns` output channels:
//
//   f32            bias                   weights
//   f32_qc8w       bias                   weights   scales
//   qd8_f32_qc8w   - sum of the weights   weights   scales   bias
//
// The weights of a panel are groups of `group` inputs of one channel: first the groups of all channels, then
// the next inputs. Within `rotation` groups, channel c starts at group c modulo `rotation`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vitrine/vitrine.hpp>

#include "runtime/ops/packing/packed_weights.h"
#include "runtime/program/program.h"

namespace vitrine {

struct PanelShape {
  size_t columns, group, rotation;  // XNNPACK's nr, kr, sr
};

/// The layout of a class of CPUs, as far as classes differ. All other kernels use the same layout on each of
/// them.
struct PackedLayout {
  CpuClass cpu;
  PanelShape qd8;     ///< of XNNPACK's qd8_f32_qc8w
  size_t int8_group;  ///< the value of kernels::LinearInt8Group() there
};

/// Returns the layout of a class or of a CPU in it, by name; null when there is none.
const PackedLayout* FindPackedLayout(std::string_view cpu);

struct MatrixToPack {
  const void* weight;   ///< [outputs, inputs], f32 or int8
  const float* scales;  ///< [outputs]; null for f32
  const float* bias;    ///< [outputs] or null
  size_t outputs, inputs;
};

/// Packs for `kernel` of such a CPU into `packed`: the same bytes that the CPU itself writes. Returns false
/// when there is no memory.
bool Pack(const PackedLayout& layout, PackedKernel kernel, const MatrixToPack& weights,
          PackedWeights& packed);

/// Returns the checksum of small matrices, packed by each kind of kernel for CPUs with `layout`, or for this
/// CPU when `layout` is null. XNNPACK must be started.
uint64_t LayoutChecksum(const PackedLayout* layout);

/// Returns the same for the kernels that only the CPU itself can pack for: qs8_qc8w and qd8_f32_qb4w.
uint64_t OwnLayoutChecksum();

}  // namespace vitrine
