// SPDX-License-Identifier: Apache-2.0
// A model file seen as what it is: a list of operators on tensors and constants, verified.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vitrine/status.hpp>

#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

/// Bytes, of every buffer and constant: a cache line, and the widest vector.
constexpr size_t kAlignment = 64;
constexpr size_t RoundUp(size_t bytes, size_t multiple = kAlignment) {
  return (bytes + multiple - 1) / multiple * multiple;
}

constexpr size_t kInt4Block = 32;  ///< inputs that share a scale in QB4W

/// An activation as the file declares it: the matrix [rows, columns].
struct TensorInfo {
  const char* name;
  schema::Type type;
  size_t rows, columns;
  float scale;     ///< QS8 only
  int zero_point;  ///< QS8 only

  size_t elements() const { return rows * columns; }
  /// Where, in a QD8 tensor's buffer, each row's zero point and scale lie, in bytes.
  size_t row_quantization_offset() const;
  /// What its buffer needs, in bytes, with what XNNPACK's kernels may read beyond the last row.
  size_t buffer_bytes() const;
};

/// A constant in the file: the matrix [rows, columns]. The pointers live as long as the file's bytes.
struct ConstantInfo {
  schema::Type type;
  size_t rows, columns;
  std::span<const uint8_t> bytes;  ///< all of it, padding and scales too
  uint64_t checksum;

  const float* f32() const { return reinterpret_cast<const float*>(bytes.data()); }
  const int8_t* int8() const { return reinterpret_cast<const int8_t*>(bytes.data()); }
  /// QC8W: a scale for each row.
  const float* scales() const;
  /// QB4W: two columns a byte, and bfloat16 scales [rows, columns / kInt4Block].
  const uint8_t* int4() const { return bytes.data(); }
  const uint16_t* block_scales() const;
};

/// A read-only view of a model file that has passed Verify. Copying copies a pointer; the file's bytes must
/// outlive it. Safe to read from many threads. Never allocates.
class Program {
 public:
  Program() = default;

  /// Verifies `file`, all its levels, and returns the view of level 0: the FlatBuffer's structure, version,
  /// checksum of all but the constants, and that every count, shape, offset, scale and reference makes sense.
  /// Whether an operator's shapes fit each other is that operator's to say (ops/). The constants' contents
  /// are not touched; CheckConstant does that on first use. `file` must be 64-byte aligned. Fails with
  /// kInvalidModel or kUnsupportedModel.
  static Result<Program> Verify(std::span<const uint8_t> file);

  /// The same model with more tokens merged, 0 <= `index` <= further_levels(); 0 is this one.
  Program level(int index) const;
  int further_levels() const;

  const schema::Model& root() const { return *root_; }
  std::span<const uint8_t> file() const { return file_; }

  int input() const { return input_; }                    ///< tensor
  int logits() const { return logits_; }                  ///< tensor, or -1
  int embedding() const { return embedding_; }            ///< tensor, or -1
  int patch_features() const { return patch_features_; }  ///< tensor, or -1
  int tensor_count() const { return static_cast<int>(tensors_->size()); }
  int constant_count() const { return static_cast<int>(root_->constants()->size()); }
  int operator_count() const { return static_cast<int>(operators_->size()); }
  TensorInfo tensor(int index) const;
  ConstantInfo constant(int index) const;
  const schema::Operator& op(int index) const { return *operators_->Get(static_cast<unsigned>(index)); }

  bool has_tensor(int index) const { return index >= 0 && index < tensor_count(); }
  bool has_constant(int index) const { return index >= 0 && index < constant_count(); }

  /// Verifies the contents of a constant: checksum, and scales that are finite and above
  /// zero. Reads all of it.
  Status CheckConstant(int index) const;

 private:
  /// `tables`: a Model or a Level.
  template <typename Tables>
  void Take(const Tables& tables);

  const schema::Model* root_ = nullptr;
  const flatbuffers::Vector<flatbuffers::Offset<schema::Tensor>>* tensors_ = nullptr;
  const flatbuffers::Vector<flatbuffers::Offset<schema::Operator>>* operators_ = nullptr;
  int input_ = -1, logits_ = -1, embedding_ = -1, patch_features_ = -1;
  std::span<const uint8_t> file_;
};

/// Returns the bytes of the file up to its constants, and the checksum over them as `metadata_checksum`
/// defines it.
std::span<const uint8_t> MetadataBytes(const schema::Model& root, std::span<const uint8_t> file);
/// Also where that field lies: in the file, or null where it is not stored.
const uint8_t* MetadataChecksumField(const schema::Model& root);
uint64_t MetadataChecksum(const schema::Model& root, std::span<const uint8_t> file);

/// The size in the file of a constant of this type and shape, in bytes, padding and scales included.
size_t ConstantBytes(schema::Type type, size_t rows, size_t columns);

constexpr int kFormatMajor = 1;
constexpr int kFormatMinor = 3;  // 1: merged tokens, levels; 2: static int8, 4-bit weights; 3: patch features

}  // namespace vitrine
