// SPDX-License-Identifier: Apache-2.0
#include "runtime/ops/packing/packed_layout.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/kernels/linear_int8.h"

namespace vitrine {
namespace {

// The tests run on one CPU of each class.
constexpr PackedLayout kLayouts[] = {
    {{"neon", "cortex-a7 cortex-a15 cortex-a35 cortex-a53 cortex-a57 cortex-a72 cortex-a73"}, {8, 2, 4}, 16},
    {{"dotprod", "cortex-a55 cortex-a75 cortex-a76 cortex-a77 cortex-a78 cortex-x1 neoverse-n1"},
     {16, 4, 1},
     0},
    {{"i8mm", "cortex-a510 cortex-a710 cortex-a715 cortex-x2 cortex-x3 neoverse-n2 neoverse-v1 neoverse-v2"},
     {16, 8, 1},
     8},
};

constexpr PanelShape kFloatPanel = {8, 1, 1}, kNarrowFloatPanel = {2, 1, 1};

constexpr size_t kXnnpackAlignment = 16;  // XNN_ALLOCATION_ALIGNMENT on ARM

/// Packs a matrix into panels as XNNPACK does.
class Panels {
 public:
  Panels(const PackedLayout& layout, PackedKernel kernel, const MatrixToPack& w)
      : kernel_(kernel), w_(w), element_(kernel == PackedKernel::kF32 ? sizeof(float) : 1) {
    size_t vectors = 0;
    switch (kernel) {
      case PackedKernel::kF32:
        shape_ = w.outputs < kFloatPanel.columns ? kNarrowFloatPanel : kFloatPanel, vectors = 1;
        break;
      case PackedKernel::kF32Qc8w:
        shape_ = kFloatPanel, vectors = 2;
        break;
      case PackedKernel::kQd8F32Qc8w:
        shape_ = layout.qd8, vectors = 3;
        break;
      case PackedKernel::kLinearInt8:
      case PackedKernel::kQs8Qc8w:
      case PackedKernel::kQd8F32Qb4w:
        break;  // never packed in panels here
    }
    weight_bytes_ = shape_.columns * RoundUp(w.inputs, shape_.group * shape_.rotation) * element_;
    panel_bytes_ = weight_bytes_ + vectors * VectorBytes();
  }

  size_t bytes() const {
    const size_t panels = RoundUp(w_.outputs, shape_.columns) / shape_.columns;
    return RoundUp(panels * panel_bytes_, kXnnpackAlignment);
  }

  /// Writes all panels to `out`, which holds zeros.
  void Write(std::byte* out) const {
    for (size_t first = 0; first < w_.outputs; first += shape_.columns, out += panel_bytes_) {
      std::byte *const weights = out + VectorBytes(), *const tail = weights + weight_bytes_;
      const size_t columns = std::min(shape_.columns, w_.outputs - first);
      WriteWeights(first, columns, weights);
      if (kernel_ == PackedKernel::kQd8F32Qc8w) {
        WriteSums(first, columns, out);
        WriteFloats(w_.bias, first, columns, tail + VectorBytes());
      } else {
        WriteFloats(w_.bias, first, columns, out);
      }
      if (kernel_ != PackedKernel::kF32) WriteFloats(w_.scales, first, columns, tail);
    }
  }

 private:
  size_t VectorBytes() const { return shape_.columns * sizeof(float); }
  const std::byte* Weight(size_t output, size_t input) const {
    return static_cast<const std::byte*>(w_.weight) + (output * w_.inputs + input) * element_;
  }

  static void WriteFloats(const float* values, size_t first, size_t count, std::byte* out) {
    if (values != nullptr) std::memcpy(out, values + first, count * sizeof(float));
  }

  void WriteSums(size_t first, size_t count, std::byte* out) const {
    for (size_t c = 0; c < count; ++c, out += sizeof(int32_t)) {
      const auto* row = reinterpret_cast<const int8_t*>(Weight(first + c, 0));
      int32_t sum = 0;
      for (size_t k = 0; k < w_.inputs; ++k) sum -= row[k];
      std::memcpy(out, &sum, sizeof sum);
    }
  }

  void WriteWeights(size_t first, size_t columns, std::byte* out) const {
    const size_t group = shape_.group, block = group * shape_.rotation;
    const size_t written = std::max(columns, RepeatedColumns());
    std::byte* to = out;
    for (size_t k = 0; k < RoundUp(w_.inputs, block); k += group) {
      for (size_t c = 0; c < written; ++c) {
        const size_t input = k / block * block + (k + c * group) % block;
        if (input >= w_.inputs) continue;
        const size_t count = std::min(group, w_.inputs - input);
        std::memcpy(to + c * group * element_, Weight(first + std::min(c, columns - 1), input),
                    count * element_);
      }
      to += shape_.columns * group * element_;
    }
    if (kernel_ == PackedKernel::kF32 && columns < shape_.columns && first > 0) WriteLeftover(first, out);
  }

  // The kernels read the missing columns of the last panel, but ignore their results. XNNPACK leaves
  // arbitrary values there. This code writes the same values, so that the file's bytes do not depend on the
  // machine that wrote it.

  /// Returns how many columns repeat the last one: all but one in panels of 8.
  size_t RepeatedColumns() const {
    const bool repeats = kernel_ != PackedKernel::kQd8F32Qc8w && shape_.columns == kFloatPanel.columns;
    return repeats ? kFloatPanel.columns - 1 : 0;
  }

  /// Writes the values that XNNPACK leaves in the last column of an f32 panel: from the panel before, the
  /// last four inputs of the last group of four.
  void WriteLeftover(size_t first, std::byte* out) const {
    const size_t fours = shape_.columns == kFloatPanel.columns ? w_.inputs / 4 * 4 : 0;
    for (size_t k = 0; k < fours; ++k) {
      std::memcpy(out + (k * shape_.columns + shape_.columns - 1) * element_,
                  Weight(first - 1, fours - 4 + k % 4), element_);
    }
  }

  PackedKernel kernel_;
  MatrixToPack w_;
  size_t element_;  // bytes
  PanelShape shape_ = kFloatPanel;
  size_t weight_bytes_, panel_bytes_;
};

constexpr auto kClasses = [] {
  std::array<CpuClass, std::size(kLayouts)> classes;
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = kLayouts[i].cpu;
  return classes;
}();

/// Returns whether `word` is one of the words in `words`.
bool Contains(std::string_view words, std::string_view word) {
  for (size_t end; !words.empty(); words.remove_prefix(std::min(end + 1, words.size()))) {
    end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
  }
  return false;
}

}  // namespace

std::span<const CpuClass> CpuClasses() { return kClasses; }

const CpuClass* FindCpuClass(std::string_view cpu) {
  const auto* found = std::find_if(kClasses.begin(), kClasses.end(), [&](const CpuClass& known) {
    return known.name == cpu || Contains(known.cores, cpu);
  });
  return found == kClasses.end() ? nullptr : &*found;
}

const PackedLayout* FindPackedLayout(std::string_view cpu) {
  const CpuClass* const found = FindCpuClass(cpu);
  return found == nullptr ? nullptr : &kLayouts[found - kClasses.data()];
}

bool Pack(const PackedLayout& layout, PackedKernel kernel, const MatrixToPack& w, PackedWeights& packed) {
  if (kernel == PackedKernel::kLinearInt8) {
    void* const out = packed.Reserve(kernels::LinearInt8PackedBytes(w.outputs, w.inputs));
    if (out == nullptr) return false;
    kernels::PackLinearInt8({static_cast<const int8_t*>(w.weight), w.scales, w.bias, w.outputs, w.inputs},
                            layout.int8_group, out);
    return true;
  }
  const Panels panels(layout, kernel, w);
  void* const out = packed.Reserve(panels.bytes());
  if (out == nullptr) return false;
  std::memset(out, 0, panels.bytes());
  panels.Write(static_cast<std::byte*>(out));
  return true;
}

}  // namespace vitrine
