// SPDX-License-Identifier: Apache-2.0
#include "runtime/program/program.h"

#include <bit>
#include <cmath>

namespace vitrine {
namespace {

// XNNPACK's kernels may read up to 16 bytes beyond a row (XNN_EXTRA_BYTES; ops/xnnpack.cc asserts that this
// is enough).
constexpr size_t kOverreadBytes = 64;
constexpr size_t kRowQuantizationBytes = 8;

float FloatOf(uint16_t bfloat16) { return std::bit_cast<float>(uint32_t{bfloat16} << 16); }

size_t ElementBytes(schema::Type type) { return type == schema::Type::F32 ? 4 : 1; }

}  // namespace

size_t TensorInfo::row_quantization_offset() const { return RoundUp(elements() + kOverreadBytes); }

size_t TensorInfo::buffer_bytes() const {
  if (type == schema::Type::QD8) {
    return RoundUp(row_quantization_offset() + rows * kRowQuantizationBytes);
  }
  return RoundUp(elements() * ElementBytes(type) + kOverreadBytes);
}

const float* ConstantInfo::scales() const {
  return reinterpret_cast<const float*>(bytes.data() + RoundUp(rows * columns));
}

const uint16_t* ConstantInfo::block_scales() const {
  return reinterpret_cast<const uint16_t*>(bytes.data() + RoundUp(rows * columns / 2));
}

size_t ConstantBytes(schema::Type type, size_t rows, size_t columns) {
  if (type == schema::Type::QB4W)
    return RoundUp(rows * columns / 2) + RoundUp(rows * columns / kInt4Block * sizeof(uint16_t));
  const size_t values = RoundUp(rows * columns * ElementBytes(type));
  return type == schema::Type::QC8W ? values + RoundUp(rows * sizeof(float)) : values;
}

template <typename Tables>
void Program::Take(const Tables& tables) {
  tensors_ = tables.tensors();
  operators_ = tables.operators();
  input_ = tables.input();
  logits_ = tables.logits();
  embedding_ = tables.embedding();
}

int Program::further_levels() const {
  return root_->levels() == nullptr ? 0 : static_cast<int>(root_->levels()->size());
}

Program Program::level(int index) const {
  Program program = *this;
  if (index == 0) {
    program.Take(*root_);
    program.patch_features_ = root_->patch_features();
  } else {
    program.patch_features_ = -1;
    program.Take(*root_->levels()->Get(static_cast<unsigned>(index - 1)));
  }
  return program;
}

TensorInfo Program::tensor(int index) const {
  const schema::Tensor& t = *tensors_->Get(static_cast<unsigned>(index));
  return {t.name()->c_str(), t.type(), t.rows(), t.columns(), t.scale(), t.zero_point()};
}

ConstantInfo Program::constant(int index) const {
  const schema::Constant& c = *root_->constants()->Get(static_cast<unsigned>(index));
  const uint8_t* at = root_->weights()->data() + c.offset();
  return {
      c.type(), c.rows(), c.columns(), {at, ConstantBytes(c.type(), c.rows(), c.columns())}, c.checksum()};
}

Status Program::CheckConstant(int index) const {
  const ConstantInfo constant = this->constant(index);
  Fletcher64 checksum;
  checksum.Add(constant.bytes);
  if (checksum.value() != constant.checksum) {
    return Status::Error(Code::kInvalidModel, "constant %d is damaged: its checksum does not match", index);
  }
  if (constant.type == schema::Type::F32) return {};
  const bool blocks = constant.type == schema::Type::QB4W;
  const size_t scales_per_row = blocks ? constant.columns / kInt4Block : 1;
  for (size_t i = 0; i < constant.rows * scales_per_row; ++i) {
    const float scale = blocks ? FloatOf(constant.block_scales()[i]) : constant.scales()[i];
    if (!(scale > 0) || !std::isfinite(scale)) {
      return Status::Error(Code::kInvalidModel,
                           "constant %d: scale of channel %zu is %g, expected above zero", index,
                           i / scales_per_row, static_cast<double>(scale));
    }
  }
  return {};
}

std::span<const uint8_t> MetadataBytes(const schema::Model& root, std::span<const uint8_t> file) {
  return file.first(static_cast<size_t>(root.weights()->data() - file.data()));
}

const uint8_t* MetadataChecksumField(const schema::Model& root) {
  return reinterpret_cast<const flatbuffers::Table&>(root).GetAddressOf(schema::Model::VT_METADATA_CHECKSUM);
}

uint64_t MetadataChecksum(const schema::Model& root, std::span<const uint8_t> file) {
  const std::span<const uint8_t> metadata = MetadataBytes(root, file);
  Fletcher64 checksum;
  const uint8_t* field = MetadataChecksumField(root);
  if (field == nullptr) {
    checksum.Add(metadata);
    return checksum.value();
  }
  const size_t at = static_cast<size_t>(field - file.data());
  constexpr uint8_t kZeros[8] = {};
  checksum.Add(metadata.first(at));
  checksum.Add(kZeros);
  checksum.Add(metadata.subspan(at + sizeof kZeros));
  return checksum.value();
}

namespace {

constexpr uint64_t kModulus = 0xFFFFFFFFu;
// With sums below 2^32 at the start, 2^15 words add at most 2^47 to the first and 2^62 + 2^47 to the second.
constexpr size_t kWordsPerReduction = size_t{1} << 15;

}  // namespace

void Fletcher64::Add(std::span<const uint8_t> bytes) {
  const uint8_t* at = bytes.data();
  size_t words = bytes.size() / 4;
  while (words > 0) {
    const size_t count = std::min(words, kWordsPerReduction);
    for (size_t i = 0; i < count; ++i, at += 4) {
      uint32_t word;
      std::memcpy(&word, at, 4);
      first_ += word;
      second_ += first_;
    }
    first_ %= kModulus;
    second_ %= kModulus;
    words -= count;
  }
  if (const size_t rest = bytes.size() % 4; rest != 0) {
    uint32_t word = 0;
    std::memcpy(&word, at, rest);
    first_ = (first_ + word) % kModulus;
    second_ = (second_ + first_) % kModulus;
  }
}

}  // namespace vitrine
