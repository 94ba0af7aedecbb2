// SPDX-License-Identifier: Apache-2.0
// Small models made in memory, for tests of the runtime that also run in builds without the converter.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "converter/lower/model_builder.h"

namespace vitrine::testing {

/// Keeps constants in memory.
class MemoryWeights final : public WeightStore {
 public:
  void Append(std::span<const uint8_t> bytes) override {
    this->bytes.insert(this->bytes.end(), bytes.begin(), bytes.end());
  }
  std::vector<uint8_t> bytes;
};

/// The bytes of a model file, aligned like a mapping. Tests may change them to damage the file.
class ModelBytes {
 public:
  ModelBytes() = default;
  ModelBytes(std::span<const uint8_t> metadata, std::span<const uint8_t> weights);
  explicit ModelBytes(std::span<const uint8_t> file) : ModelBytes(file, {}) {}
  std::span<uint8_t> bytes() { return {data_.get(), size_}; }
  std::span<const uint8_t> bytes() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

/// A model under construction and the memory of its constants.
struct Draft {
  MemoryWeights weights;
  ModelBuilder builder{&weights};
  ModelBytes Bytes() { return ModelBytes(builder.Metadata(), weights.bytes); }
};

/// Returns values from a fixed sequence, roughly normal with the given deviation.
std::vector<float> RandomValues(size_t count, float deviation, uint32_t seed);

/// Returns a ViT of one block: 8 x 8 x 3 image, patch 4, width 16, 2 heads, 3 classes, class token, labels.
/// `int8` chooses dynamic int8 or f32.
ModelBytes TinyVit(bool int8);

}  // namespace vitrine::testing
