// SPDX-License-Identifier: Apache-2.0
// A verified model file: a list of operators on tensors and constants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vitrine/status.hpp>

#include "runtime/base/memory.h"
#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

constexpr size_t kInt4Block = 32;  ///< inputs that share a scale in QB4W

/// An activation as declared in the file: a matrix [rows, columns].
struct TensorInfo {
  const char* name;
  schema::Type type;
  size_t rows, columns;
  float scale;     ///< QS8 only
  int zero_point;  ///< QS8 only

  size_t elements() const { return rows * columns; }
  /// Returns the offset, in bytes, of the zero points and scales of the rows in a QD8 tensor's buffer.
  size_t row_quantization_offset() const;
  /// Returns the size of its buffer in bytes, including what XNNPACK's kernels may read beyond the last row.
  size_t buffer_bytes() const;
};

/// A constant in the file: a matrix [rows, columns]. The pointers are valid as long as the file's bytes.
struct ConstantInfo {
  schema::Type type;
  size_t rows, columns;
  std::span<const uint8_t> bytes;  ///< including padding and scales
  uint64_t checksum;

  const float* f32() const { return reinterpret_cast<const float*>(bytes.data()); }
  const int8_t* int8() const { return reinterpret_cast<const int8_t*>(bytes.data()); }
  /// QC8W: one scale per row.
  const float* scales() const;
  /// QB4W: two columns per byte, and bfloat16 scales [rows, columns / kInt4Block].
  const uint8_t* int4() const { return bytes.data(); }
  const uint16_t* block_scales() const;
};

/// A read-only view of a model file that has passed Verify(). Copies are cheap; the file's bytes must outlive them. Any number
/// of threads may read it. Never allocates.
class Program {
 public:
  Program() = default;

  /// Verifies `file` with all its levels and returns the view of level 0. Checks the FlatBuffer's structure, the version, the
  /// checksum of everything but the constants, and every count, shape, offset, scale and reference. Each operator checks its
  /// own shapes (ops/). The contents of constants are not read; CheckConstant() checks them at first use. `file` must be
  /// 64-byte aligned. Fails with kInvalidModel or kUnsupportedModel.
  static Result<Program> Verify(std::span<const uint8_t> file);

  /// Returns level `index`, 0 <= index <= further_levels(); higher levels merge more tokens.
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

  /// Verifies the contents of a constant: its checksum, and that its scales are finite and above zero. Reads all of it.
  Status CheckConstant(int index) const;

 private:
  /// `tables` is a Model or a Level.
  template <typename Tables>
  void Take(const Tables& tables);

  const schema::Model* root_ = nullptr;
  const flatbuffers::Vector<flatbuffers::Offset<schema::Tensor>>* tensors_ = nullptr;
  const flatbuffers::Vector<flatbuffers::Offset<schema::Operator>>* operators_ = nullptr;
  int input_ = -1, logits_ = -1, embedding_ = -1, patch_features_ = -1;
  std::span<const uint8_t> file_;
};

/// Fletcher-64 over little-endian 32-bit words, computed piece by piece. It finds every flipped bit and costs two additions
/// per word.
/// Source: J. G. Fletcher, An Arithmetic Checksum for Serial Transmissions, IEEE Trans.
/// Communications 30(1), 1982.
class Fletcher64 {
 public:
  /// Adds bytes. Every piece but the last must have a multiple of 4 bytes; the last word is padded with zeros.
  void Add(std::span<const uint8_t> bytes);
  /// Returns the checksum of all bytes added so far.
  uint64_t value() const { return second_ << 32 | first_; }

 private:
  uint64_t first_ = 0, second_ = 0;
};

/// Return the bytes of the file before its constants, the place of the stored checksum in the file (null where it is not
/// stored), and the checksum over these bytes as the schema defines it for `metadata_checksum`.
std::span<const uint8_t> MetadataBytes(const schema::Model& root, std::span<const uint8_t> file);
const uint8_t* MetadataChecksumField(const schema::Model& root);
uint64_t MetadataChecksum(const schema::Model& root, std::span<const uint8_t> file);

/// Returns the size in the file of a constant of this type and shape, in bytes, including padding and scales.
size_t ConstantBytes(schema::Type type, size_t rows, size_t columns);

constexpr int kFormatMajor = 1;
constexpr int kFormatMinor = 3;  // 1: merged tokens, levels; 2: static int8, 4-bit weights; 3: patch features

}  // namespace vitrine
