// SPDX-License-Identifier: Apache-2.0
// Model: opens and verifies a file. PackForCpu() packs its weights for another CPU.
#include "runtime/session/model.h"

#include <utility>

#include "runtime/base/memory.h"
#include "runtime/base/status.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/packing/packed_layout.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/ops/xnnpack.h"

namespace vitrine {
namespace {

/// Packs the weights of each Linear, and releases the file's pages as soon as there is a packed copy of them.
Status PackLevel(const Program& program, const MappedFile& file, const PackedLayout& layout,
                 PackedWeights& packed) {
  for (int i = 0; i < program.operator_count(); ++i) {
    const schema::Linear* const linear = program.op(i).kind_as_Linear();
    if (linear == nullptr) continue;
    if (const Status status = PackLinear(program, *linear, layout, packed); !status.ok()) {
      return Status::Error(status.code(), "%.80s: %s", program.op(i).name()->c_str(), status.message());
    }
    file.Release(program.constant(linear->weight()).bytes);
  }
  return {};
}

}  // namespace

Status Model::State::Load(std::span<const uint8_t> bytes) {
  KeepAllocator();
  Result<Program> verified = Program::Verify(bytes);
  if (!verified.ok()) return verified.status();
  program = verified.value();
  for (int i = 0; i <= program.further_levels(); ++i) VITRINE_RETURN_IF_ERROR(LoadLevel(program.level(i)));
  DescribeModel();
  DescribeLevels();
  return {};
}

Status Model::State::LoadLevel(const Program& level) {
  Result<OpList> ops = MakeOps(level);
  if (!ops.ok()) return ops.status();
  if (const auto ranges = FindLiveRanges(level, ops.value()); !ranges.ok()) return ranges.status();
  DescribeOperators(level, ops.value());
  return {};
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const char* Version() { return VITRINE_VERSION; }

Result<Model> Model::Open(const char* path) {
  Result<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  auto state = std::make_unique<State>();
  state->file = std::move(file).value();
  if (const Status status = state->Load(state->file.bytes()); !status.ok()) {
    return Status::Error(status.code(), "%.120s: %s", path, status.message());
  }
  return Model(std::move(state));
}

Result<Model> Model::FromBytes(std::span<const uint8_t> bytes) {
  auto state = std::make_unique<State>();
  VITRINE_RETURN_IF_ERROR(state->Load(bytes));
  return Model(std::move(state));
}

const ModelInfo& Model::info() const { return state_->info; }
std::span<const OperatorInfo> Model::operators() const { return state_->operators.front(); }
std::span<const LevelInfo> Model::levels() const { return state_->levels; }

int Model::label_count() const {
  const auto* labels = state_->program.root().labels();
  return labels == nullptr ? 0 : static_cast<int>(labels->size());
}

const char* Model::label(int index) const {
  if (index < 0 || index >= label_count()) return "";
  return state_->program.root().labels()->Get(static_cast<unsigned>(index))->c_str();
}

Status PackForCpu(const Model& model, std::string_view cpu, const char* path) {
  const PackedLayout* const layout = FindPackedLayout(cpu);
  if (layout == nullptr) {
    return Status::Error(Code::kInvalidArgument, "there is no class of CPUs %.*s",
                         static_cast<int>(cpu.size()), cpu.data());
  }
  const XnnpackMemory memory;
  const Program& program = model.state_->program;
  PackedWeights packed(program.root().metadata_checksum(), layout);
  for (int level = 0; level <= program.further_levels(); ++level) {
    VITRINE_RETURN_IF_ERROR(PackLevel(program.level(level), model.state_->file, *layout, packed));
  }
  return packed.Save(path);
}

}  // namespace vitrine
