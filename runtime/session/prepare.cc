// SPDX-License-Identifier: Apache-2.0
// Session::Create: starts the threads, takes the operators through create, reshape, plan and setup, and
// prepares the way from a photo to the input.
#include <algorithm>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/ops/rows.h"
#include "runtime/ops/xnnpack.h"
#include "runtime/session/cpus.h"
#include "runtime/session/session.h"

namespace vitrine {

Result<ThreadPool> ThreadPool::Create(int thread_count) {
  if (thread_count < 1 || thread_count > 256)
    return Status::Error(Code::kInvalidArgument, "thread count is %d, expected 1 to 256", thread_count);
  std::shared_ptr<pthreadpool> pool = StartThreads(static_cast<size_t>(thread_count));
  if (pool == nullptr) return Status::Error(Code::kOutOfMemory, "cannot start %d threads", thread_count);
  return ThreadPool(std::move(pool));
}

int ThreadPool::thread_count() const { return static_cast<int>(ThreadCount(pool_.get())); }

Status Session::State::StartThreads(const SessionOptions& options) {
  if (options.thread_pool != nullptr) {
    pool = options.thread_pool->pool_;
    threads = options.thread_pool->thread_count();
    return {};
  }
  int count = options.thread_count;
  if (count < 0 || count > 256)
    return Status::Error(Code::kInvalidArgument, "thread count is %d, expected 0 to 256", count);
  const int cpus = static_cast<int>(AllowedCpus().size());
  if (count == 0) count = cpus;
  if (count > cpus) {
    Log(LogLevel::kWarning, "%d threads on %d CPU cores: threads will wait for each other", count, cpus);
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

/// Packs the weights of each operator, or takes them from the cache file. Releases the model file's pages as
/// soon as an operator has its own copy.
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
    Log(LogLevel::kInfo, "packed weights from %s", packed_file);
  for (PreparedLevel& level : levels) VITRINE_RETURN_IF_ERROR(CreateOps(level));
  packed_bytes = memory.bytes() + (packed->loaded() ? packed->bytes() : 0);
  // Pages that verification has read, and their neighbours. The pages that a frame needs come back by
  // themselves.
  model->file.Release(program().file());
  // A start without the file works too: it packs again.
  if (packed_file != nullptr && !packed->loaded()) {
    const Status saved = packed->Save(packed_file);
    if (!saved.ok())
      Log(LogLevel::kWarning, "cannot write the packed weights, starts will be slower: %s", saved.message());
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

/// Plans one arena for all levels, because only one level runs at a time. It has the size of the largest
/// plan.
Status Session::State::PlanAndSetup(std::span<std::byte> callers_arena) {
  size_t bytes = 0;
  for (PreparedLevel& level : levels) VITRINE_RETURN_IF_ERROR(Plan(level, &bytes));
  VITRINE_RETURN_IF_ERROR(TakeArena(bytes, callers_arena));
  for (PreparedLevel& level : levels) VITRINE_RETURN_IF_ERROR(SetupOps(level));
  return {};
}

// The casts below rely on equal values of the file's enumerations and those of runtime/image.
template <typename A, typename B>
constexpr bool Same(A a, B b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(Same(schema::ResizeMode::None, ResizeMode::kNone));
static_assert(Same(schema::ResizeMode::ShortestSide, ResizeMode::kShortestSide));
static_assert(Same(schema::ResizeMode::Squash, ResizeMode::kSquash));
static_assert(schema::ResizeMode::MAX == schema::ResizeMode::Squash);
static_assert(Same(schema::CropRounding::HalfToEven, CropRounding::kHalfToEven));
static_assert(Same(schema::CropRounding::Floor, CropRounding::kFloor));
static_assert(schema::CropRounding::MAX == schema::CropRounding::Floor);
static_assert(Same(schema::Interpolation::Nearest, Interpolation::kNearest));
static_assert(Same(schema::Interpolation::Lanczos, Interpolation::kLanczos));
static_assert(Same(schema::Interpolation::Bilinear, Interpolation::kBilinear));
static_assert(Same(schema::Interpolation::Bicubic, Interpolation::kBicubic));
static_assert(Same(schema::Interpolation::Box, Interpolation::kBox));
static_assert(Same(schema::Interpolation::Hamming, Interpolation::kHamming));
static_assert(schema::Interpolation::MAX == schema::Interpolation::Hamming);

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

}  // namespace vitrine
