// SPDX-License-Identifier: Apache-2.0
// PackForCpu: what Session::Create does of a start on another processor, and no more.
#include "runtime/base/return_if_error.h"
#include "runtime/ops/packing/packed_layout.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/ops/xnnpack.h"
#include "runtime/session/model.h"

namespace vitrine {
namespace {

/// Packs operator by operator and lets go of the file's pages as soon as there is a copy of them.
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

Status PackForCpu(const Model& model, std::string_view cpu, const char* path) {
  const PackedLayout* const layout = FindPackedLayout(cpu);
  if (layout == nullptr) {
    return Status::Error(Code::kInvalidArgument, "there is no class of processors %.*s",
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
