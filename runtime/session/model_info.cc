// SPDX-License-Identifier: Apache-2.0
// What Model::info(), operators() and levels() return.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/session/model.h"
#include "runtime/session/rollout.h"

namespace vitrine {
namespace {

std::string_view View(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view{} : std::string_view{text->c_str(), text->size()};
}

std::span<const float> View(const flatbuffers::Vector<float>* values) {
  return values == nullptr ? std::span<const float>{}
                           : std::span<const float>{values->data(), values->size()};
}

/// Returns the public description of operator `index`, without its SQNR.
OperatorInfo Describe(const Program& program, const Op& op, int index) {
  const OpCost cost = op.cost();
  const TensorInfo output = program.tensor(op.operands().output());
  const Operands operands = op.operands();
  auto reads = operands.reads.tensors;
  const auto free = std::find(reads.begin(), reads.end(), -1);
  if (operands.updates >= 0 && operands.updates != operands.output() && free != reads.end())
    *free = operands.updates;
  return {.name = program.op(index).name()->c_str(),
          .kind = cost.kind,
          .type = cost.type,
          .rows = static_cast<int64_t>(output.rows),
          .columns = static_cast<int64_t>(output.columns),
          .macs = cost.macs,
          .parameters = cost.parameters,
          .sqnr_db = std::nanf(""),
          .reads = {reads[0], reads[1], reads[2], reads[3]},
          .writes = operands.output()};
}

/// Returns the length of the token sequence: T.
int64_t Tokens(const Program& program) {
  for (int i = 0; i < program.operator_count(); ++i) {
    if (const auto* op = program.op(i).kind_as_AddPositions())
      return static_cast<int64_t>(program.tensor(op->tokens()).rows);
  }
  return static_cast<int64_t>(program.tensor(program.input()).rows);
}

/// Returns the name that the converter's flag uses.
const char* NameOf(schema::Interpolation interpolation) {
  switch (interpolation) {
    case schema::Interpolation::Nearest:
      return "nearest";
    case schema::Interpolation::Lanczos:
      return "lanczos";
    case schema::Interpolation::Bilinear:
      return "bilinear";
    case schema::Interpolation::Bicubic:
      return "bicubic";
    case schema::Interpolation::Box:
      return "box";
    case schema::Interpolation::Hamming:
      return "hamming";
  }
  return "";
}

void DescribeResize(const schema::ImageInput& image, char* text, size_t capacity) {
  switch (image.resize()) {
    case schema::ResizeMode::None:
      std::snprintf(text, capacity, "none");
      break;
    case schema::ResizeMode::ShortestSide:
      std::snprintf(text, capacity, "shortest side %u", image.resize_height());
      break;
    case schema::ResizeMode::Squash:
      std::snprintf(text, capacity, "squash to %ux%u", image.resize_height(), image.resize_width());
      break;
  }
}

}  // namespace

void Model::State::DescribeOperators(const Program& level, const OpList& ops) {
  std::vector<OperatorInfo>& infos = operators.emplace_back();
  for (int i = 0; i < level.operator_count(); ++i)
    infos.push_back(Describe(level, *ops[static_cast<size_t>(i)], i));
}

void Model::State::DescribeModel() {
  const schema::Model& root = program.root();
  info = {};
  info.format_major = root.format_major();
  info.format_minor = root.format_minor();
  info.producer = View(root.producer());
  info.family = View(root.family());
  info.recipe = View(root.recipe());
  if (const auto* source = root.source()) {
    info.source_file = View(source->file());
    info.source_format = View(source->format());
    info.source_sha256 = View(source->sha256());
  }
  if (const auto* image = root.image()) {
    info.image_height = static_cast<int>(image->height());
    info.image_width = static_cast<int>(image->width());
    info.image_channels = static_cast<int>(image->channels());
    DescribeResize(*image, resize, sizeof resize);
    info.resize = resize;
    info.interpolation = NameOf(image->interpolation());
    info.mean = View(image->mean());
    info.deviation = View(image->deviation());
  }
  info.grid = FindPatchRows(program).grid;
  info.tokens = Tokens(program);
  for (const OperatorInfo& op : operators.front()) {
    info.macs += op.macs;
    info.parameters += op.parameters;
  }
  info.file_bytes = program.file().size();
  if (const auto* fidelity = root.fidelity()) {
    info.fidelity_images = static_cast<int>(fidelity->images());
    info.fidelity_synthetic = fidelity->synthetic();
    info.sqnr_db = fidelity->sqnr_db();
    info.agreement = fidelity->agreement();
    const std::span<const float> sqnr = View(fidelity->operator_sqnr_db());
    for (size_t i = 0; i < std::min(sqnr.size(), operators.front().size()); ++i)
      operators.front()[i].sqnr_db = sqnr[i];
  }
}

void Model::State::DescribeLevels() {
  const schema::Model& root = program.root();
  levels.push_back(
      {static_cast<int>(root.merged_tokens()), info.macs, info.sqnr_db, info.agreement, operators.front()});
  for (int i = 1; i <= program.further_levels(); ++i) {
    const schema::Level& level = *root.levels()->Get(static_cast<unsigned>(i - 1));
    const std::span<const OperatorInfo> ops = operators[static_cast<size_t>(i)];
    int64_t macs = 0;
    for (const OperatorInfo& op : ops) macs += op.macs;
    levels.push_back(
        {static_cast<int>(level.merged_tokens()), macs, level.sqnr_db(), level.agreement(), ops});
  }
}

}  // namespace vitrine
