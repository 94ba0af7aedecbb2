// SPDX-License-Identifier: Apache-2.0
// Program::Verify: all checks of a file, from its structure to its meaning.
#include <cmath>
#include <cstring>
#include <vitrine/model.hpp>

#include "runtime/base/status.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

// Limits far above any Vision Transformer, so that products of counts cannot overflow and a hostile file cannot ask for
// absurd work: 2^20 rows (a 1024 x 1024 grid), 2^24 columns, one gigabyte per tensor.
constexpr size_t kMaxRows = size_t{1} << 20;
constexpr size_t kMaxColumns = size_t{1} << 24;
constexpr size_t kMaxElements = size_t{1} << 28;
constexpr size_t kMaxOperators = 100'000;
constexpr size_t kMaxImageSide = 16'384;

[[gnu::format(printf, 1, 2)]] Status Invalid(const char* format, ...) {
  char text[Status::kMessageCapacity];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return Status::Error(Code::kInvalidModel, "%s", text);
}

Status CheckStructure(std::span<const uint8_t> file) {
  if (reinterpret_cast<uintptr_t>(file.data()) % kAlignment != 0) {
    return Status::Error(Code::kInvalidArgument, "the model's bytes are not aligned to %zu bytes",
                         kAlignment);
  }
  if (file.size() < 8 || !flatbuffers::BufferHasIdentifier(file.data(), schema::ModelIdentifier())) {
    return Invalid("not a vitrine model: \"%s\" is missing at byte 4", schema::ModelIdentifier());
  }
  if (file.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return Invalid("a model file has at most 2 GiB, this one %zu bytes", file.size());
  flatbuffers::Verifier::Options options;
  options.max_depth = 8;
  options.max_tables = 1'000'000;
  options.check_alignment = true;
  flatbuffers::Verifier verifier(file.data(), file.size(), options);
  if (!schema::VerifyModelBuffer(verifier))
    return Invalid("the file is damaged or incomplete; copy or convert it again");
  return {};
}

Status CheckVersion(const schema::Model& root) {
  if (root.format_major() != kFormatMajor) {
    return Status::Error(Code::kUnsupportedModel, "file format %d.%d, this runtime reads format %d",
                         root.format_major(), root.format_minor(), kFormatMajor);
  }
  return {};
}

Status CheckChecksum(const schema::Model& root, std::span<const uint8_t> file) {
  if (MetadataChecksum(root, file) != root.metadata_checksum())
    return Invalid("the file is damaged: its checksum does not match; copy or convert it again");
  return {};
}

bool IsActivation(schema::Type type) { return type <= schema::Type::QS8; }
bool IsWeight(schema::Type type) {
  return type == schema::Type::F32 || type == schema::Type::QC8W || type == schema::Type::QB4W;
}

bool ShapeIsSane(size_t rows, size_t columns) {
  return rows >= 1 && columns >= 1 && rows <= kMaxRows && columns <= kMaxColumns &&
         rows * columns <= kMaxElements;
}

Status CheckTensors(const Program& program) {
  for (int i = 0; i < program.tensor_count(); ++i) {
    const TensorInfo t = program.tensor(i);
    if (!IsActivation(t.type))
      return Invalid("tensor %d has type %d, which is not a type of activations", i,
                     static_cast<int>(t.type));
    if (!ShapeIsSane(t.rows, t.columns)) return Invalid("tensor %d is %zux%zu", i, t.rows, t.columns);
    if (t.type == schema::Type::QS8 && (!(t.scale > 0) || !std::isfinite(t.scale))) {
      return Invalid("tensor %d: scale is %g, expected above zero", i, static_cast<double>(t.scale));
    }
  }
  return {};
}

Status CheckConstants(const schema::Model& root) {
  size_t end = 0;
  for (unsigned i = 0; i < root.constants()->size(); ++i) {
    const schema::Constant& c = *root.constants()->Get(i);
    if (!IsWeight(c.type()))
      return Invalid("constant %u has type %d, which is not a type of constants", i,
                     static_cast<int>(c.type()));
    if (!ShapeIsSane(c.rows(), c.columns())) return Invalid("constant %u is %ux%u", i, c.rows(), c.columns());
    if (c.type() == schema::Type::QB4W && c.columns() % kInt4Block != 0)
      return Invalid("constant %u has %u columns, expected a multiple of %zu", i, c.columns(), kInt4Block);
    if (c.offset() != end)
      return Invalid("constant %u begins at byte %llu of the weights, expected %zu", i,
                     static_cast<unsigned long long>(c.offset()), end);
    end += ConstantBytes(c.type(), c.rows(), c.columns());
    if (end > root.weights()->size()) {
      return Invalid("constant %u ends at byte %zu of the weights, which have %u", i, end,
                     root.weights()->size());
    }
  }
  if (end != root.weights()->size())
    return Invalid("the weights have %u bytes, the constants %zu", root.weights()->size(), end);
  return {};
}

/// Checks that the weights are last in the file, so that the checksums cover every byte of it.
Status CheckWeightsPlace(const schema::Model& root, std::span<const uint8_t> file) {
  const uint8_t* begin = root.weights()->data();
  if (reinterpret_cast<uintptr_t>(begin) % kAlignment != 0)
    return Invalid("the weights are not aligned to %zu bytes", kAlignment);
  if (begin + root.weights()->size() != file.data() + file.size())
    return Invalid("the weights do not end where the file ends");
  if (const uint8_t* checksum = MetadataChecksumField(root); checksum != nullptr && checksum + 8 > begin)
    return Invalid("the weights begin before the tables end");
  return {};
}

Status CheckImage(const Program& program) {
  const schema::ImageInput* image = program.root().image();
  const TensorInfo input = program.tensor(program.input());
  if (image == nullptr) {
    if (input.type != schema::Type::F32 && input.type != schema::Type::U8)
      return Invalid("an input must be F32 or U8");
    return {};
  }
  const size_t height = image->height(), width = image->width(), channels = image->channels();
  if (height < 1 || width < 1 || height > kMaxImageSide || width > kMaxImageSide || channels < 1 ||
      channels > 4) {
    return Invalid("input image is %zux%zu with %zu channels", height, width, channels);
  }
  if (image->resize() > schema::ResizeMode::MAX || image->interpolation() > schema::Interpolation::MAX ||
      image->crop_rounding() > schema::CropRounding::MAX || image->resize_height() > kMaxImageSide ||
      image->resize_width() > kMaxImageSide) {
    return Invalid("this runtime does not support the image preprocessing of the file");
  }
  const bool resizes = image->resize() != schema::ResizeMode::None;
  if (resizes && (image->resize_height() < 1 ||
                  (image->resize() == schema::ResizeMode::Squash && image->resize_width() < 1))) {
    return Invalid("the image is resized to %ux%u", image->resize_height(), image->resize_width());
  }
  if (input.type != schema::Type::U8 || input.rows != height * width || input.columns != channels) {
    return Invalid("input tensor is %zux%zu, expected U8 %zux%zu", input.rows, input.columns, height * width,
                   channels);
  }
  return {};
}

Status CheckOutputs(const Program& program) {
  for (const int index : {program.logits(), program.embedding()}) {
    if (index == -1) continue;
    if (!program.has_tensor(index)) return Invalid("output tensor %d does not exist", index);
    const TensorInfo t = program.tensor(index);
    if (t.type != schema::Type::F32) return Invalid("output tensor %d is not F32", index);
  }
  if (program.logits() == -1 && program.embedding() == -1) return Invalid("the model has no output");
  if (const int index = program.patch_features(); index != -1) {
    if (!program.has_tensor(index) || program.tensor(index).type != schema::Type::F32)
      return Invalid("patch features are in tensor %d, which is not one in F32", index);
  }
  const auto* labels = program.root().labels();
  if (labels != nullptr && labels->size() != 0) {
    const size_t classes = program.logits() == -1 ? 0 : program.tensor(program.logits()).elements();
    if (labels->size() != classes) return Invalid("%u labels for %zu classes", labels->size(), classes);
  }
  return {};
}

Status CheckReference(const Program& program) {
  const schema::Reference* reference = program.root().reference();
  if (reference == nullptr) return {};
  const int output = program.logits() != -1 ? program.logits() : program.embedding();
  if (reference->pixels()->size() != program.tensor(program.input()).elements() ||
      reference->output()->size() != program.tensor(output).elements()) {
    return Invalid("the reference image or its output has the wrong size");
  }
  return {};
}

Status CheckLevel(const Program& program) {
  if (program.operator_count() < 1 || static_cast<size_t>(program.operator_count()) > kMaxOperators)
    return Invalid("%d operators", program.operator_count());
  VITRINE_RETURN_IF_ERROR(CheckTensors(program));
  if (!program.has_tensor(program.input())) return Invalid("input tensor %d does not exist", program.input());
  VITRINE_RETURN_IF_ERROR(CheckImage(program));
  return CheckOutputs(program);
}

/// The same input and outputs as level 0.
Status CheckFurtherLevel(const Program& first, const Program& level) {
  VITRINE_RETURN_IF_ERROR(CheckLevel(level));
  const auto same = [&](int a, int b) {
    if (a == -1 || b == -1) return a == b;
    const TensorInfo x = first.tensor(a), y = level.tensor(b);
    return x.type == y.type && x.rows == y.rows && x.columns == y.columns;
  };
  if (same(first.input(), level.input()) && same(first.logits(), level.logits()) &&
      same(first.embedding(), level.embedding())) {
    return {};
  }
  return Invalid("its input or outputs are not those of the model");
}

}  // namespace

Result<Program> Program::Verify(std::span<const uint8_t> file) {
  VITRINE_RETURN_IF_ERROR(CheckStructure(file));
  Program program;
  program.file_ = file;
  program.root_ = schema::GetModel(file.data());
  const schema::Model& root = *program.root_;
  VITRINE_RETURN_IF_ERROR(CheckVersion(root));
  VITRINE_RETURN_IF_ERROR(CheckWeightsPlace(root, file));
  VITRINE_RETURN_IF_ERROR(CheckChecksum(root, file));
  VITRINE_RETURN_IF_ERROR(CheckConstants(root));
  program = program.level(0);
  VITRINE_RETURN_IF_ERROR(CheckLevel(program));
  VITRINE_RETURN_IF_ERROR(CheckReference(program));
  if (program.further_levels() >= kMaxLevels)
    return Invalid("the file has %d levels, expected at most %d", program.further_levels() + 1, kMaxLevels);
  for (int i = 1; i <= program.further_levels(); ++i) {
    if (const Status status = CheckFurtherLevel(program, program.level(i)); !status.ok())
      return Invalid("level %d: %s", i, status.message());
  }
  return program;
}

}  // namespace vitrine
