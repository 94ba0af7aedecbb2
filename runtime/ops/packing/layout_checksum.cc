// SPDX-License-Identifier: Apache-2.0
// The checksum that identifies a layout: of a small matrix, packed by each kind of kernel.
#include <xnnpack.h>

#include <array>
#include <limits>

#include "runtime/kernels/linear_int8.h"
#include "runtime/ops/packing/packed_layout.h"
#include "runtime/ops/xnnpack.h"

namespace vitrine {
namespace {

constexpr size_t kOutputs = 37, kInputs = 83;  // not a multiple of any tile

struct SampleLayer {
  std::array<int8_t, kOutputs * kInputs> weights;
  std::array<float, kOutputs * kInputs> floats;
  std::array<float, kOutputs> scales, bias;

  SampleLayer() {
    for (size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<int8_t>(i * 89 % 255 - 127);
      floats[i] = static_cast<float>(weights[i]);
    }
    for (size_t i = 0; i < kOutputs; ++i) {
      scales[i] = static_cast<float>(i + 1);
      bias[i] = static_cast<float>(3 * i);
    }
  }
};

/// Packs for XNNPACK's kernels on this CPU, and for our own where it uses them.
void PackForThisCpu(const SampleLayer& s, PackedWeights& packed) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::array<xnn_operator_t, 4> operators = {};
  const auto kind = [&](size_t index) {
    packed.Begin(static_cast<int>(index), -1, PackedKernel::kF32);
    return &operators[index];
  };
  xnn_weights_cache_provider* const cache = packed.provider();
  xnn_create_fully_connected_nc_f32(kInputs, kOutputs, kInputs, kOutputs, s.floats.data(), s.bias.data(),
                                    -kInfinity, kInfinity, 0, nullptr, cache, kind(0));
  xnn_create_fully_connected_nc_f32(kInputs, 1, kInputs, 1, s.floats.data(), s.bias.data(), -kInfinity,
                                    kInfinity, 0, nullptr, cache, kind(1));
  xnn_create_fully_connected_nc_f32_qc8w(kInputs, kOutputs, kInputs, kOutputs, s.scales.data(),
                                         s.weights.data(), s.bias.data(), -kInfinity, kInfinity, 0, nullptr,
                                         cache, kind(2));
  xnn_create_fully_connected_nc_qd8_f32_qc8w(kInputs, kOutputs, kInputs, kOutputs, s.scales.data(),
                                             s.weights.data(), s.bias.data(), -kInfinity, kInfinity, 0,
                                             nullptr, cache, kind(3));
  for (const xnn_operator_t op : operators) {
    if (op != nullptr) xnn_delete_operator(op);
  }
  if (!kernels::HasLinearInt8()) return;
  packed.Begin(static_cast<int>(operators.size()), -1, PackedKernel::kLinearInt8);
  void* const bytes = packed.Reserve(kernels::LinearInt8PackedBytes(kOutputs, kInputs));
  const kernels::LinearInt8Weights ours = {s.weights.data(), s.scales.data(), s.bias.data(), kOutputs,
                                           kInputs};
  if (bytes != nullptr) kernels::PackLinearInt8(ours, kernels::LinearInt8Group(), bytes);
}

/// Packs for the kernels that no PackedLayout describes.
void PackOwn(const SampleLayer& s, PackedWeights& packed) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::array<int32_t, kOutputs> bias;
  std::array<uint16_t, kOutputs> block_scales;
  for (size_t i = 0; i < kOutputs; ++i) {
    bias[i] = static_cast<int32_t>(3 * i);
    block_scales[i] = static_cast<uint16_t>(0x3f80 + i);  // bfloat16, from 1 on
  }
  std::array<xnn_operator_t, 2> operators = {};
  xnn_weights_cache_provider* const cache = packed.provider();
  packed.Begin(0, -1, PackedKernel::kF32);
  xnn_create_fully_connected_nc_qs8_qc8w(kInputs, kOutputs, kInputs, kOutputs, 3, 1.0f, s.scales.data(),
                                         s.weights.data(), bias.data(), 5, 1.0f, INT8_MIN, INT8_MAX, 0,
                                         nullptr, cache, &operators[0]);
  packed.Begin(1, -1, PackedKernel::kF32);
  xnn_create_fully_connected_nc_qd8_f32_qb4w(kInt4Block, kOutputs, kInt4Block, kOutputs, kInt4Block, 8,
                                             block_scales.data(), s.weights.data(), s.bias.data(), -kInfinity,
                                             kInfinity, 0, nullptr, cache, &operators[1]);
  for (const xnn_operator_t op : operators) {
    if (op != nullptr) xnn_delete_operator(op);
  }
}

/// Packs for the kernels of a class of CPUs.
void PackForCpuClass(const SampleLayer& s, const PackedLayout& layout, PackedWeights& packed) {
  const MatrixToPack f32 = {s.floats.data(), nullptr, s.bias.data(), kOutputs, kInputs},
                     one_output = {s.floats.data(), nullptr, s.bias.data(), 1, kInputs},
                     int8 = {s.weights.data(), s.scales.data(), s.bias.data(), kOutputs, kInputs};
  Pack(layout, PackedKernel::kF32, f32, packed);
  Pack(layout, PackedKernel::kF32, one_output, packed);
  Pack(layout, PackedKernel::kF32Qc8w, int8, packed);
  Pack(layout, PackedKernel::kQd8F32Qc8w, int8, packed);
  if (layout.int8_group != 0) Pack(layout, PackedKernel::kLinearInt8, int8, packed);
}

uint64_t Measure(const PackedLayout* layout) {
  const XnnpackMemory memory;
  const SampleLayer sample;
  PackedWeights packed(0);
  if (layout == nullptr) {
    PackForThisCpu(sample, packed);
  } else {
    PackForCpuClass(sample, *layout, packed);
  }
  return packed.ContentChecksum();
}

}  // namespace

uint64_t LayoutChecksum(const PackedLayout* layout) {
  if (layout != nullptr) return Measure(layout);
  static const uint64_t checksum = Measure(nullptr);
  return checksum;
}

uint64_t OwnLayoutChecksum() {
  static const uint64_t checksum = [] {
    const XnnpackMemory memory;
    PackedWeights packed(0);
    PackOwn(SampleLayer(), packed);
    return packed.ContentChecksum();
  }();
  return checksum;
}

}  // namespace vitrine
