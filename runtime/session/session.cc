// SPDX-License-Identifier: Apache-2.0
// Session: create, reshape, plan, setup; then a frame is SetImage and Run.
#include "runtime/session/session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/arena/plan.h"
#include "runtime/base/log.h"
#include "runtime/base/return_if_error.h"
#include "runtime/ops/xnnpack.h"
#include "runtime/session/processors.h"

namespace vitrine {

Result<ThreadPool> ThreadPool::Create(int thread_count) {
  if (thread_count < 1 || thread_count > 256)
    return Status::Error(Code::kInvalidArgument, "thread count is %d, expected 1 to 256", thread_count);
  std::shared_ptr<pthreadpool> pool(pthreadpool_create(static_cast<size_t>(thread_count)),
                                    pthreadpool_destroy);
  if (pool == nullptr) return Status::Error(Code::kOutOfMemory, "cannot start %d threads", thread_count);
  return ThreadPool(std::move(pool));
}

int ThreadPool::thread_count() const { return static_cast<int>(pthreadpool_get_threads_count(pool_.get())); }

Status Session::State::StartThreads(const SessionOptions& options) {
  if (options.thread_pool != nullptr) {
    pool = options.thread_pool->pool_;
    threads = options.thread_pool->thread_count();
    return {};
  }
  int count = options.thread_count;
  if (count < 0 || count > 256)
    return Status::Error(Code::kInvalidArgument, "thread count is %d, expected 0 to 256", count);
  const int processors = static_cast<int>(AllowedProcessors().size());
  if (count == 0) count = processors;
  if (count > processors) {
    Log(LogLevel::kWarning, "%d threads have %d processors to run on: expect them to wait for each other",
        count, processors);
  }
  threads = count;
  if (count == 1) return {};
  Result<ThreadPool> started = ThreadPool::Create(count);
  if (!started.ok()) return started.status();
  pool = started.value().pool_;
  return {};
}

Status Session::State::MakeLevels() {
  for (int i = 0; i <= model->program.further_levels(); ++i) {
    levels.push_back({model->program.level(i), {}, {}, {}, {}});
    Result<OpList> ops = MakeOps(levels.back().program);
    if (!ops.ok()) return ops.status();
    levels.back().ops = std::move(ops).value();
  }
  return {};
}

/// Packs operator by operator, or takes what an earlier start has packed, and lets go of the file's pages as
/// soon as an operator has its own copy of them.
Status Session::State::CreateOps(PreparedLevel& level) {
  for (int i = 0; i < level.program.operator_count(); ++i) {
    Op& op = *level.ops[static_cast<size_t>(i)];
    if (const Status status = op.Create(*packed); !status.ok()) {
      return Status::Error(status.code(), "%.80s: %s", level.program.op(i).name()->c_str(), status.message());
    }
    for (const int constant : op.packed_constants()) {
      if (constant >= 0 && !packed->loaded()) model->file.Release(program().constant(constant).bytes);
    }
  }
  return {};
}

Status Session::State::CreateOps(const char* packed_file) {
  const XnnpackMemory memory;
  packed = std::make_unique<PackedWeights>(program().root().metadata_checksum());
  if (packed_file != nullptr && packed->Load(packed_file))
    Log(LogLevel::kInfo, "weights packed before: %s", packed_file);
  for (PreparedLevel& level : levels) VITRINE_RETURN_IF_ERROR(CreateOps(level));
  packed_bytes = memory.bytes() + (packed->loaded() ? packed->bytes() : 0);
  // What verification has read, and the neighbours that the kernel maps with it; what a frame needs comes
  // back.
  model->file.Release(program().file());
  // Without the file the next start packs again, and that is all.
  if (packed_file != nullptr && !packed->loaded()) {
    const Status saved = packed->Save(packed_file);
    if (!saved.ok()) Log(LogLevel::kWarning, "packed weights are not kept: %s", saved.message());
  }
  return {};
}

Status Session::State::Plan(PreparedLevel& level, size_t* bytes) {
  const XnnpackMemory memory;
  const auto ranges = FindLiveRanges(level.program, level.ops);
  if (!ranges.ok()) return ranges.status();
  std::vector<BufferRequest>& requests = level.buffers;
  for (int t = 0; t < level.program.tensor_count(); ++t) {
    const LiveRange& range = ranges.value()[static_cast<size_t>(t)];
    requests.push_back(
        {range.last < range.first ? 0 : level.program.tensor(t).buffer_bytes(), range.first, range.last});
  }
  for (int i = 0; i < level.program.operator_count(); ++i) {
    size_t scratch = 0;
    VITRINE_RETURN_IF_ERROR(level.ops[static_cast<size_t>(i)]->Reshape(pool.get(), &scratch));
    requests.push_back({scratch, i, i});
  }
  level.offsets.resize(requests.size());
  *bytes = std::max(*bytes, PlanBuffers(requests, level.offsets));
  return {};
}

Status Session::State::TakeArena(size_t bytes, std::span<std::byte> callers) {
  arena_bytes = bytes;
  if (!callers.empty()) {
    if (callers.size() < bytes) {
      return Status::Error(Code::kArenaTooSmall, "the arena has %zu bytes, this model needs %zu",
                           callers.size(), bytes);
    }
    if (reinterpret_cast<uintptr_t>(callers.data()) % kAlignment != 0) {
      return Status::Error(Code::kInvalidArgument, "the arena is not aligned to %zu bytes", kAlignment);
    }
    arena = callers.data();
    return {};
  }
  void* memory = AllocateBytes(bytes, kAlignment);
  if (memory == nullptr)
    return Status::Error(Code::kOutOfMemory, "no memory for an arena of %zu bytes", bytes);
  own_arena.reset(static_cast<std::byte*>(memory));
  arena = own_arena.get();
  return {};
}

Status Session::State::SetupOps(PreparedLevel& level) {
  const XnnpackMemory memory;
  const size_t tensors = static_cast<size_t>(level.program.tensor_count());
  level.tensor_data.resize(tensors);
  for (size_t t = 0; t < tensors; ++t) level.tensor_data[t] = arena + level.offsets[t];
  for (size_t i = 0; i < level.ops.size(); ++i) {
    std::byte* scratch = arena + level.offsets[tensors + i];
    VITRINE_RETURN_IF_ERROR(level.ops[i]->Setup(Memory(level.tensor_data.data(), scratch)));
  }
  return {};
}

/// Levels run one at a time: they share the arena, which is as large as the largest needs.
Status Session::State::PlanAndSetup(std::span<std::byte> callers_arena) {
  size_t bytes = 0;
  for (PreparedLevel& level : levels) VITRINE_RETURN_IF_ERROR(Plan(level, &bytes));
  VITRINE_RETURN_IF_ERROR(TakeArena(bytes, callers_arena));
  for (PreparedLevel& level : levels) VITRINE_RETURN_IF_ERROR(SetupOps(level));
  return {};
}

Status Session::State::PrepareImages() {
  const schema::ImageInput* image = program().root().image();
  if (image == nullptr || (image->channels() != 1 && image->channels() != 3)) return {};
  Preprocess p;
  p.height = static_cast<int>(image->height());
  p.width = static_cast<int>(image->width());
  p.channels = static_cast<int>(image->channels());
  p.resize = static_cast<ResizeMode>(image->resize());
  p.resize_height = static_cast<int>(image->resize_height());
  p.resize_width = static_cast<int>(image->resize_width());
  p.interpolation = static_cast<Interpolation>(image->interpolation());
  p.crop_rounding = static_cast<CropRounding>(image->crop_rounding());
  Result<Preprocessor> created = Preprocessor::Create(p);
  if (!created.ok()) return created.status();
  preprocessor.emplace(std::move(created).value());
  return {};
}

Status Session::State::PrepareRollout() {
  std::vector<Rollout::Level> chains;
  for (const PreparedLevel& prepared : levels) chains.push_back({prepared.program, prepared.ops});
  Result<std::unique_ptr<Rollout>> created = Rollout::Create(chains, pool.get());
  if (!created.ok()) return created.status();
  rollout = std::move(created).value();
  return {};
}

float* Session::State::Output(int tensor) const {
  return tensor < 0 ? nullptr : reinterpret_cast<float*>(level().tensor_data[static_cast<size_t>(tensor)]);
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::Create(const Model& model, const SessionOptions& options) {
  VITRINE_RETURN_IF_ERROR(StartXnnpack());
  auto state = std::make_unique<State>();
  state->model = model.state_.get();
  VITRINE_RETURN_IF_ERROR(state->StartThreads(options));
  VITRINE_RETURN_IF_ERROR(state->MakeLevels());
  VITRINE_RETURN_IF_ERROR(state->CreateOps(options.packed_weights));
  VITRINE_RETURN_IF_ERROR(state->PlanAndSetup(options.arena));
  VITRINE_RETURN_IF_ERROR(state->PrepareImages());
  if (options.attention_map) VITRINE_RETURN_IF_ERROR(state->PrepareRollout());
  return Session(std::move(state));
}

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

std::span<const float> Session::patch_features() const {
  const int index = state_->program().patch_features();
  if (index < 0) return {};
  const TensorInfo tensor = state_->program().tensor(index);
  const PatchRows patches = FindPatchRows(state_->program());
  if (tensor.rows != patches.first + patches.count()) return {};
  const size_t skipped = patches.first * tensor.columns;
  return {state_->Output(index) + skipped, tensor.elements() - skipped};
}

std::span<const float> Session::logits() const {
  const int index = state_->program().logits();
  if (index < 0) return {};
  return {state_->Output(index), state_->program().tensor(index).elements()};
}

std::span<const float> Session::embedding() const {
  const int index = state_->program().embedding();
  if (index < 0) return {};
  return {state_->Output(index), state_->program().tensor(index).elements()};
}

Status Session::ReadOutput(int operator_index, std::span<float> values) const {
  if (operator_index < 0 || operator_index >= state_->program().operator_count()) {
    return Status::Error(Code::kInvalidArgument, "operator %d does not exist", operator_index);
  }
  const int index = state_->level().ops[static_cast<size_t>(operator_index)]->operands().output();
  const TensorInfo tensor = state_->program().tensor(index);
  if (values.size() != tensor.elements()) {
    return Status::Error(Code::kInvalidArgument, "%zu values for an output of %zu", values.size(),
                         tensor.elements());
  }
  ReadTensor(tensor, state_->level().tensor_data[static_cast<size_t>(index)], values);
  return {};
}

Status Session::State::RunReference(Session& session, const schema::Reference& reference) {
  std::memcpy(session.input().data(), reference.pixels()->data(), reference.pixels()->size());
  VITRINE_RETURN_IF_ERROR(session.Run());
  const std::span<const float> found = session.logits().empty() ? session.embedding() : session.logits();
  double signal = 0, noise = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double expected = reference.output()->Get(static_cast<unsigned>(i));
    signal += expected * expected;
    noise += (found[i] - expected) * (found[i] - expected);
  }
  constexpr double kSmallestRatio = 316;  // 25 dB: int8 rounding differs a little between instruction sets
  if (std::isfinite(noise) && signal >= kSmallestRatio * noise) return {};
  return Status::Error(Code::kInternal,
                       "self-test failed: the output differs from the file's reference by %.1f dB",
                       10 * std::log10(signal / noise));
}

Status Session::SelfTest() {
  const schema::Reference* reference = state_->program().root().reference();
  if (reference == nullptr) return Status::Error(Code::kInvalidModel, "the file carries no reference image");
  const size_t level = std::exchange(state_->current, size_t{0});
  const Status status = State::RunReference(*this, *reference);
  state_->current = level;
  return status;
}

Status Session::SavePackedWeights(const char* path) const {
  if (state_->packed->loaded())
    return Status::Error(Code::kInvalidArgument, "the weights came from a file already");
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
