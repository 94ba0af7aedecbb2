// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/model_builder.h"

#include <cmath>
#include <cstring>

#include "converter/error.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

constexpr uint64_t kLargestFile =
    (uint64_t{1} << 31) - (uint64_t{1} << 22);  // FlatBuffers' limit, less room for the tables

void PutLittleEndian(uint8_t* at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

}  // namespace

int ModelBuilder::AddTensor(const std::string& name, schema::Type type, size_t rows, size_t columns) {
  auto tensor = std::make_unique<schema::TensorT>();
  tensor->name = name;
  tensor->type = type;
  tensor->rows = static_cast<uint32_t>(rows);
  tensor->columns = static_cast<uint32_t>(columns);
  model.tensors.push_back(std::move(tensor));
  return static_cast<int>(model.tensors.size()) - 1;
}

int ModelBuilder::AddF32(const std::string& name, std::span<const float> values, size_t rows,
                         size_t columns) {
  CheckFinite(name, values);
  std::vector<uint8_t> bytes(ConstantBytes(schema::Type::F32, rows, columns));
  std::memcpy(bytes.data(), values.data(), values.size_bytes());
  return AddConstant(schema::Type::F32, rows, columns, std::move(bytes));
}

int ModelBuilder::AddInt8(const QuantizedMatrix& matrix) {
  std::vector<uint8_t> bytes(ConstantBytes(schema::Type::QC8W, matrix.rows, matrix.columns));
  std::memcpy(bytes.data(), matrix.values.data(), matrix.values.size());
  std::memcpy(bytes.data() + RoundUp(matrix.values.size()), matrix.scales.data(),
              matrix.scales.size() * sizeof(float));
  return AddConstant(schema::Type::QC8W, matrix.rows, matrix.columns, std::move(bytes));
}

int ModelBuilder::AddInt4(const Int4Matrix& matrix) {
  std::vector<uint8_t> bytes(ConstantBytes(schema::Type::QB4W, matrix.rows, matrix.columns));
  for (size_t i = 0; i < matrix.values.size(); i += 2)
    bytes[i / 2] = static_cast<uint8_t>(matrix.values[i] | matrix.values[i + 1] << 4);
  std::memcpy(bytes.data() + RoundUp(matrix.values.size() / 2), matrix.block_scales.data(),
              matrix.block_scales.size() * sizeof(uint16_t));
  return AddConstant(schema::Type::QB4W, matrix.rows, matrix.columns, std::move(bytes));
}

void ModelBuilder::SetStatic(int tensor, float scale, int8_t zero_point) {
  schema::TensorT& t = *model.tensors[static_cast<size_t>(tensor)];
  t.type = schema::Type::QS8;
  t.scale = scale;
  t.zero_point = zero_point;
}

int ModelBuilder::AddConstant(schema::Type type, size_t rows, size_t columns, std::vector<uint8_t> bytes) {
  auto constant = std::make_unique<schema::ConstantT>();
  constant->type = type;
  constant->rows = static_cast<uint32_t>(rows);
  constant->columns = static_cast<uint32_t>(columns);
  constant->offset = weight_bytes_;
  Fletcher64 checksum;
  checksum.Add(bytes);
  constant->checksum = checksum.value();
  weight_bytes_ += bytes.size();
  if (weight_bytes_ > kLargestFile) {
    Fail(
        "the model needs more than 2 GiB in this recipe, and a model file holds at most that much; choose an "
        "int8 recipe");
  }
  weights_->Append(bytes);
  model.constants.push_back(std::move(constant));
  return static_cast<int>(model.constants.size()) - 1;
}

std::vector<uint8_t> ModelBuilder::Metadata() {
  model.format_major = kFormatMajor;
  model.format_minor = kFormatMinor;
  model.metadata_checksum = ~uint64_t{0};  // not the default, so that the field is stored
  flatbuffers::FlatBufferBuilder builder(64 * 1024);
  builder.ForceDefaults(true);  // so that the size does not depend on the values
  builder.ForceVectorAlignment(kAlignment, 1,
                               kAlignment);  // of `weights`, which Pack creates first and empty
  builder.Finish(schema::Model::Pack(builder, &model), schema::ModelIdentifier());
  std::vector<uint8_t> file(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());

  // The empty vector `weights` is at the end of the buffer. Its length is the last four bytes, and the bytes that are
  // appended to the file become its content.
  const schema::Model& root = *schema::GetModel(file.data());
  if (root.weights()->data() != file.data() + file.size() || file.size() % kAlignment != 0) {
    Fail("internal: the weights are not at the end of the file");
  }
  PutLittleEndian(file.data() + file.size() - 4, weight_bytes_, 4);
  const uint8_t* checksum = MetadataChecksumField(root);
  PutLittleEndian(file.data() + (checksum - file.data()), MetadataChecksum(root, file), 8);
  return file;
}

Preprocess PreprocessOf(const VitConfig& config, const ImageConfig& image) {
  Preprocess p;
  p.height = config.image_height;
  p.width = config.image_width;
  p.channels = config.channels;
  switch (image.resize) {
    case ImageConfig::Resize::kNone:
      p.resize = ResizeMode::kNone;
      break;
    case ImageConfig::Resize::kShortestSide:
      p.resize = ResizeMode::kShortestSide;
      break;
    case ImageConfig::Resize::kSquash:
      p.resize = ResizeMode::kSquash;
      break;
  }
  p.resize_height = image.resize_height;
  p.resize_width = image.resize_width;
  p.interpolation = static_cast<Interpolation>(image.interpolation);  // both are Pillow's numbers
  p.crop_rounding = image.crop_floor ? CropRounding::kFloor : CropRounding::kHalfToEven;
  return p;
}

std::unique_ptr<schema::ImageInputT> ImageInputOf(const VitConfig& config, const ImageConfig& image) {
  const Preprocess p = PreprocessOf(config, image);
  auto input = std::make_unique<schema::ImageInputT>();
  input->height = static_cast<uint32_t>(p.height);
  input->width = static_cast<uint32_t>(p.width);
  input->channels = static_cast<uint32_t>(p.channels);
  input->resize = static_cast<schema::ResizeMode>(p.resize);
  input->resize_height = static_cast<uint32_t>(p.resize_height);
  input->resize_width = static_cast<uint32_t>(p.resize_width);
  input->interpolation = static_cast<schema::Interpolation>(p.interpolation);
  input->crop_rounding = static_cast<schema::CropRounding>(p.crop_rounding);
  input->mean = image.mean;
  input->deviation = image.deviation;
  return input;
}

}  // namespace vitrine
