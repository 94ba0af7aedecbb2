// SPDX-License-Identifier: Apache-2.0
// Session: a frame is SetImage() or SetJpeg(), then Run(), then the outputs.
#include "runtime/session/session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vitrine/sqnr.hpp>

#include "runtime/base/status.h"
#include "runtime/kernels/rows.h"

namespace vitrine {
namespace {

/// Sets `values` to a tensor's elements as f32.
void ReadTensor(const TensorInfo& tensor, const std::byte* data, std::span<float> values) {
  const auto* int8 = reinterpret_cast<const int8_t*>(data);
  const auto* rows =
      reinterpret_cast<const kernels::RowQuantization*>(data + tensor.row_quantization_offset());
  for (size_t i = 0; i < values.size(); ++i) {
    switch (tensor.type) {
      case schema::Type::F32:
        std::memcpy(&values[i], data + 4 * i, 4);
        break;
      case schema::Type::U8:
        values[i] = static_cast<float>(static_cast<uint8_t>(int8[i]));
        break;
      case schema::Type::QS8:
        values[i] = static_cast<float>(int8[i] - tensor.zero_point) * tensor.scale;
        break;
      case schema::Type::QD8: {
        const kernels::RowQuantization& row = rows[i / tensor.columns];
        values[i] = static_cast<float>(int8[i] - row.zero_point) * row.scale;
        break;
      }
      case schema::Type::QC8W:
      case schema::Type::QB4W:
        break;  // only constants have these types
    }
  }
}

/// Fails unless `output` is the reference's up to rounding. int8 rounding differs a little between
/// instruction sets.
Status CheckReference(std::span<const float> output, const schema::Reference& reference) {
  constexpr double kSmallestRatio = 316;  // 25 dB
  Sqnr sqnr;
  sqnr.Add({reference.output()->data(), output.size()}, output);
  if (std::isfinite(sqnr.noise) && sqnr.signal >= kSmallestRatio * sqnr.noise) return {};
  return Status::Error(Code::kInternal,
                       "self-test failed: the SQNR of the output is %.1f dB, expected at least 25 dB against "
                       "the file's reference",
                       sqnr.decibels());
}

}  // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Status Session::SetLevel(int level) {
  if (level < 0 || static_cast<size_t>(level) >= state_->levels.size())
    return Status::Error(Code::kInvalidArgument, "the model has no level %d, the last is %zu", level,
                         state_->levels.size() - 1);
  state_->current = static_cast<size_t>(level);
  return {};
}
int Session::level() const { return static_cast<int>(state_->current); }

Status Session::State::CheckTakesImages() const {
  if (preprocessor.has_value()) return {};
  return Status::Error(Code::kInvalidArgument,
                       "the model's input is not a gray or colour image: write to input() instead");
}

Status Session::SetImage(const ImageView& image) {
  VITRINE_RETURN_IF_ERROR(state_->CheckTakesImages());
  return state_->preprocessor->Run(image, input().data());
}

Status Session::SetJpeg(std::span<const uint8_t> bytes) {
  VITRINE_RETURN_IF_ERROR(state_->CheckTakesImages());
  if (!state_->jpeg.has_value()) state_->jpeg.emplace();
  JpegRows& jpeg = *state_->jpeg;
  VITRINE_RETURN_IF_ERROR(jpeg.Decode(bytes));
  return state_->preprocessor->Run(jpeg.reader(), jpeg.width(), jpeg.height(), input().data());
}

Region Session::RegionSeen(int width, int height) const {
  if (!state_->preprocessor.has_value() || width < 1 || height < 1) return {};
  return vitrine::RegionSeen(state_->preprocessor->preprocess(), width, height);
}

std::span<uint8_t> Session::input() {
  const int index = state_->program().input();
  const TensorInfo tensor = state_->program().tensor(index);
  const size_t element = tensor.type == schema::Type::F32 ? sizeof(float) : 1;
  return {reinterpret_cast<uint8_t*>(state_->level().tensor_data[static_cast<size_t>(index)]),
          tensor.elements() * element};
}

Status Session::Run(const Observer& observer) {
  const AttentionMap kind = state_->attention_map;
  for (size_t i = 0; i < state_->level().ops.size(); ++i) {
    state_->level().ops[i]->Run(state_->pool.get());
    if (kind != AttentionMap::kNone)
      state_->rollout->After(state_->current, static_cast<int>(i), state_->pool.get());
    if (observer.after != nullptr) observer.after(observer.context, static_cast<int>(i));
  }
  if (kind != AttentionMap::kNone) state_->rollout->Finish(state_->current, kind);
  return {};
}

Status Session::SetAttentionMap(AttentionMap kind) {
  if (kind > AttentionMap::kLastBlock)
    return Status::Error(Code::kInvalidArgument, "attention map %d is not known", static_cast<int>(kind));
  if (kind != AttentionMap::kNone && state_->rollout == nullptr) {
    return Status::Error(Code::kInvalidArgument,
                         "the session was created without SessionOptions::attention_map");
  }
  state_->attention_map = kind;
  return {};
}

std::span<const float> Session::attention_map() const {
  if (state_->attention_map == AttentionMap::kNone) return {};
  return state_->rollout->map();
}

Grid Session::grid() const { return FindPatchRows(state_->model->program).grid; }

std::span<const float> Session::State::Output(int tensor) const {
  if (tensor < 0) return {};
  return {reinterpret_cast<const float*>(level().tensor_data[static_cast<size_t>(tensor)]),
          program().tensor(tensor).elements()};
}

std::span<const float> Session::logits() const { return state_->Output(state_->program().logits()); }
std::span<const float> Session::embedding() const { return state_->Output(state_->program().embedding()); }

std::span<const float> Session::patch_features() const {
  const int index = state_->program().patch_features();
  if (index < 0) return {};
  const TensorInfo tensor = state_->program().tensor(index);
  const PatchRows patches = FindPatchRows(state_->program());
  if (tensor.rows != patches.first + patches.count()) return {};  // this level merges tokens
  return state_->Output(index).subspan(patches.first * tensor.columns);
}

Status Session::ReadOutput(int operator_index, std::span<float> values) const {
  if (operator_index < 0 || operator_index >= state_->program().operator_count()) {
    return Status::Error(Code::kInvalidArgument, "operator %d does not exist", operator_index);
  }
  const int index = state_->level().ops[static_cast<size_t>(operator_index)]->operands().output();
  const TensorInfo tensor = state_->program().tensor(index);
  if (values.size() != tensor.elements()) {
    return Status::Error(Code::kInvalidArgument, "there is room for %zu values, the output has %zu",
                         values.size(), tensor.elements());
  }
  ReadTensor(tensor, state_->level().tensor_data[static_cast<size_t>(index)], values);
  return {};
}

Status Session::State::RunReference(Session& session, const schema::Reference& reference) {
  std::memcpy(session.input().data(), reference.pixels()->data(), reference.pixels()->size());
  VITRINE_RETURN_IF_ERROR(session.Run());
  return CheckReference(session.logits().empty() ? session.embedding() : session.logits(), reference);
}

Status Session::SelfTest() {
  const schema::Reference* reference = state_->program().root().reference();
  if (reference == nullptr) return Status::Error(Code::kInvalidModel, "the file has no reference image");
  const size_t level = std::exchange(state_->current, size_t{0});
  const Status status = State::RunReference(*this, *reference);
  state_->current = level;
  return status;
}

Status Session::SavePackedWeights(const char* path) const {
  if (state_->packed->loaded())
    return Status::Error(Code::kInvalidArgument,
                         "the weights came from a cache file: there is nothing to save");
  return state_->packed->Save(path);
}
bool Session::packed_from_file() const { return state_->packed->loaded(); }

std::vector<BufferInfo> Session::DescribeArena() const {
  const PreparedLevel& level = state_->level();
  const int tensors = level.program.tensor_count();
  std::vector<BufferInfo> infos;
  for (int i = 0; i < static_cast<int>(level.buffers.size()); ++i) {
    const BufferRequest& buffer = level.buffers[static_cast<size_t>(i)];
    const bool is_scratch = i >= tensors;
    infos.push_back(
        {is_scratch ? level.program.op(i - tensors).name()->c_str() : level.program.tensor(i).name,
         is_scratch, buffer.first, std::min(buffer.last, level.program.operator_count() - 1),
         level.offsets[static_cast<size_t>(i)], buffer.bytes});
  }
  return infos;
}

int Session::thread_count() const { return state_->threads; }
size_t Session::arena_bytes() const { return state_->arena_bytes; }
size_t Session::packed_bytes() const { return state_->packed_bytes; }

}  // namespace vitrine
