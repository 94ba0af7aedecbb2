// SPDX-License-Identifier: Apache-2.0
// ModelBuilder: collects tensors, constants and operators, and writes them as one .vit file. Constants go
// straight to their place and are never held together in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"
#include "runtime/program/program.h"

namespace vitrine {

/// Where constants are put as they come. `bytes` are multiples of 64.
class WeightStore {
 public:
  virtual ~WeightStore() = default;
  virtual void Append(std::span<const uint8_t> bytes) = 0;
};

/// Collects a model. Indices that Add... returns are those of the file. Not thread-safe.
class ModelBuilder {
 public:
  explicit ModelBuilder(WeightStore* weights) : weights_(weights) {}

  int AddTensor(const std::string& name, schema::Type type, size_t rows, size_t columns);
  /// Throws Error naming `name` when a value is not finite.
  int AddF32(const std::string& name, std::span<const float> values, size_t rows, size_t columns);
  int AddInt8(const QuantizedMatrix& matrix);
  int AddInt4(const Int4Matrix& matrix);

  /// Makes a tensor static int8.
  void SetStatic(int tensor, float scale, int8_t zero_point);

  template <typename Operator>
  void AddOperator(const std::string& name, Operator kind) {
    auto op = std::make_unique<schema::OperatorT>();
    op->name = name;
    op->kind.Set(std::move(kind));
    model.operators.push_back(std::move(op));
  }

  /// Returns the file's bytes up to the constants, for weights of `weight_bytes()` bytes. May be called again
  /// after `model` has changed; where only numbers have, the size stays the same.
  std::vector<uint8_t> Metadata();
  uint64_t weight_bytes() const { return weight_bytes_; }
  size_t rows(int tensor) const { return model.tensors[static_cast<size_t>(tensor)]->rows; }
  size_t columns(int tensor) const { return model.tensors[static_cast<size_t>(tensor)]->columns; }

  schema::ModelT model;  ///< what else the file says; `weights` stays empty

 private:
  int AddConstant(schema::Type type, size_t rows, size_t columns, std::vector<uint8_t> bytes);

  WeightStore* weights_;
  uint64_t weight_bytes_ = 0;
};

}  // namespace vitrine
