// SPDX-License-Identifier: Apache-2.0
// ModelBuilder: collects tensors, constants and operators, and makes the bytes of a .vit file from them. Constants go to
// a store at once, so that they are never all in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"
#include "converter/vit/vit.h"
#include "runtime/image/preprocess.h"
#include "runtime/program/program.h"
#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

/// Receives the constants in order. The size of `bytes` is a multiple of 64.
class WeightStore {
 public:
  virtual ~WeightStore() = default;
  virtual void Append(std::span<const uint8_t> bytes) = 0;
};

/// Collects a model. The functions Add... return indices in the file. Use from one thread at a time.
class ModelBuilder {
 public:
  explicit ModelBuilder(WeightStore* weights) : weights_(weights) {}

  int AddTensor(const std::string& name, schema::Type type, size_t rows, size_t columns);
  /// Throws Error with `name` when a value is not finite.
  int AddF32(const std::string& name, std::span<const float> values, size_t rows, size_t columns);
  int AddInt8(const QuantizedMatrix& matrix);
  int AddInt4(const Int4Matrix& matrix);

  /// Changes a tensor to static int8.
  void SetStatic(int tensor, float scale, int8_t zero_point);

  template <typename Operator>
  void AddOperator(const std::string& name, Operator kind) {
    auto op = std::make_unique<schema::OperatorT>();
    op->name = name;
    op->kind.Set(std::move(kind));
    model.operators.push_back(std::move(op));
  }

  /// Returns the file's bytes up to the constants, which take `weight_bytes()` bytes. May be called again after `model`
  /// has changed. The size stays the same if only numbers have changed.
  std::vector<uint8_t> Metadata();
  uint64_t weight_bytes() const { return weight_bytes_; }
  size_t rows(int tensor) const { return model.tensors[static_cast<size_t>(tensor)]->rows; }
  size_t columns(int tensor) const { return model.tensors[static_cast<size_t>(tensor)]->columns; }

  schema::ModelT model;  ///< the content of the file; `weights` stays empty

 private:
  int AddConstant(schema::Type type, size_t rows, size_t columns, std::vector<uint8_t> bytes);

  WeightStore* weights_;
  uint64_t weight_bytes_ = 0;
};

/// Returns the preprocessing for the runtime's Preprocessor.
Preprocess PreprocessOf(const VitConfig& config, const ImageConfig& image);

/// Returns the preprocessing for the file.
std::unique_ptr<schema::ImageInputT> ImageInputOf(const VitConfig& config, const ImageConfig& image);

}  // namespace vitrine
