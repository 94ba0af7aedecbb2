// SPDX-License-Identifier: Apache-2.0
// The C interface: handles, sizes and pointers checked, then the C++ classes.
#include <vitrine/vitrine.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vitrine/vitrine.hpp>

#include "runtime/c/handles.h"

namespace vitrine {
namespace {

struct CSession {
  CSession(std::shared_ptr<Model> opened, Session created)
      : model(std::move(opened)), session(std::move(created)) {}

  std::shared_ptr<Model> model;  // which the session needs to the end
  Session session;
  std::atomic<bool> is_used{false};
};

struct Tables {
  HandleTable<vitrine_model, Model> models;
  HandleTable<vitrine_session, CSession> sessions;
  HandleTable<vitrine_pool, ThreadPool> pools;
};

/// Made at the first use and never destroyed: a thread may be in a call while the process ends.
Tables& AllTables() {
  static Tables* const tables = new Tables;
  return *tables;
}

thread_local char last_error[Status::kMessageCapacity];

static_assert(static_cast<int>(Code::kInternal) == VITRINE_INTERNAL);

vitrine_status Fail(const Status& status) {
  std::snprintf(last_error, sizeof last_error, "%s", status.message());
  return static_cast<vitrine_status>(status.code());
}

vitrine_status Returned(const Status& status) { return status.ok() ? VITRINE_OK : Fail(status); }

vitrine_status Refuse(const char* what) {
  std::snprintf(last_error, sizeof last_error, "%s", what);
  return VITRINE_INVALID_ARGUMENT;
}

/// A session's record while this thread has it.
class Use {
 public:
  explicit Use(vitrine_session handle) : record_(AllTables().sessions.Find(handle)) {
    if (record_ == nullptr) {
      status_ = Refuse("the session is not open");
    } else if (record_->is_used.exchange(true, std::memory_order_acquire)) {
      std::snprintf(last_error, sizeof last_error, "another thread is using the session");
      record_ = nullptr;
      status_ = VITRINE_BUSY;
    }
  }
  Use(const Use&) = delete;
  ~Use() {
    if (record_ != nullptr) record_->is_used.store(false, std::memory_order_release);
  }

  vitrine_status status() const { return status_; }
  Session& session() const { return record_->session; }
  const Model& model() const { return *record_->model; }

 private:
  std::shared_ptr<CSession> record_;
  vitrine_status status_ = VITRINE_OK;
};

/// Calls function(use) when the session is open and nobody else is in it.
template <typename Function>
vitrine_status With(vitrine_session handle, const Function& function) {
  const Use use(handle);
  return use.status() != VITRINE_OK ? use.status() : function(use);
}

/// Hands over one of the session's outputs.
template <typename Output>
vitrine_status Give(vitrine_session handle, const float** data, size_t* count, const Output& output) {
  if (data == nullptr || count == nullptr) return Refuse("data or count is null");
  *data = nullptr;
  *count = 0;
  return With(handle, [&](const Use& use) {
    const std::span<const float> values = output(use.session());
    if (!values.empty()) *data = values.data();
    *count = values.size();
    return VITRINE_OK;
  });
}

/// How long the caller's structures were in version 1.0: to the end of the last member that they had. What is
/// added behind it is 0 to who was compiled without it.
constexpr size_t kModelInfo10 = offsetof(vitrine_model_info, agreement) + sizeof(float);
constexpr size_t kOperatorInfo10 = offsetof(vitrine_operator_info, macs) + sizeof(int64_t);
constexpr size_t kSessionOptions10 = offsetof(vitrine_session_options, attention_map) + sizeof(int);
constexpr size_t kImage10 = offsetof(vitrine_image, crop_height) + sizeof(int);

template <typename Struct>
bool IsKnown(const Struct* value, size_t first_size) {
  return value != nullptr && value->struct_size >= first_size;
}

/// The members that the caller knows, and 0 for the others.
template <typename Struct>
Struct ReadStruct(const Struct* from) {
  Struct read = {};
  std::memcpy(static_cast<void*>(&read), from, std::min(from->struct_size, sizeof read));
  return read;
}

/// Whether a caller's value is none of the enumeration's, which start at 0. It is looked at as bytes: to C++
/// such a value is undefined.
template <typename Enum>
bool IsBeyond(const Enum& value, Enum last) {
  unsigned number;
  static_assert(sizeof value == sizeof number);
  std::memcpy(&number, &value, sizeof number);
  return number > static_cast<unsigned>(last);
}

/// Writes the members that the caller knows.
template <typename Struct>
vitrine_status WriteStruct(Struct* to, Struct from) {
  from.struct_size = to->struct_size;
  std::memcpy(static_cast<void*>(to), &from, std::min(to->struct_size, sizeof from));
  return VITRINE_OK;
}

vitrine_status AddModel(Result<Model> opened, vitrine_model* model) {
  if (!opened.ok()) return Fail(opened.status());
  *model = AllTables().models.Add(std::make_shared<Model>(std::move(opened).value()));
  return *model != nullptr ? VITRINE_OK : Refuse("too many models are open");
}

ImageView ViewOf(const vitrine_image& image) {
  ImageView view = {image.pixels, image.width, image.height, image.stride_bytes,
                    static_cast<PixelFormat>(image.format)};
  view.chroma[0] = image.chroma[0];
  view.chroma[1] = image.chroma[1];
  view.chroma_stride_bytes = image.chroma_stride_bytes;
  view.matrix = image.bt709 != 0 ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
  view.range = image.full_range != 0 ? YuvRange::kFull : YuvRange::kLimited;
  return view;
}

vitrine_status SetPhoto(const Use& use, const Result<Image>& photo) {
  return photo.ok() ? Returned(use.session().SetImage(photo.value().view())) : Fail(photo.status());
}

/// The times between operators.
struct Stopwatch {
  using Clock = std::chrono::steady_clock;
  double* microseconds;
  Clock::time_point last;

  static void After(void* context, int index) {
    Stopwatch& watch = *static_cast<Stopwatch*>(context);
    const auto now = Clock::now();
    watch.microseconds[index] = std::chrono::duration<double, std::micro>(now - watch.last).count();
    watch.last = now;
  }
};

}  // namespace
}  // namespace vitrine

using vitrine::AllTables;
using vitrine::Refuse;
using vitrine::Returned;
using vitrine::Use;
using vitrine::With;

const char* vitrine_version(void) { return vitrine::Version(); }
int vitrine_c_api_version(void) { return VITRINE_C_API_MAJOR * 1000 + VITRINE_C_API_MINOR; }
const char* vitrine_instruction_set(void) { return vitrine::InstructionSet(); }
const char* vitrine_last_error(void) { return vitrine::last_error; }

namespace {

vitrine_log_function log_function = nullptr;

}  // namespace

void vitrine_set_log(vitrine_log_function function, void* context) {
  log_function = function;
  if (function == nullptr) return vitrine::SetLog(nullptr, nullptr);
  vitrine::SetLog(
      [](void* told, vitrine::LogLevel level, const char* message) {
        log_function(told, static_cast<vitrine_log_level>(level), message);
      },
      context);
}

vitrine_status vitrine_set_allocator(vitrine_allocate_function allocate, vitrine_free_function release,
                                     void* context) {
  return Returned(vitrine::SetAllocator({allocate, release, context}));
}

vitrine_status vitrine_model_open(const char* path, vitrine_model* model) {
  if (model == nullptr) return Refuse("model is null");
  *model = nullptr;
  if (path == nullptr) return Refuse("path is null");
  return vitrine::AddModel(vitrine::Model::Open(path), model);
}

vitrine_status vitrine_model_from_bytes(const void* bytes, size_t size, vitrine_model* model) {
  if (model == nullptr) return Refuse("model is null");
  *model = nullptr;
  if (bytes == nullptr) return Refuse("bytes is null");
  return vitrine::AddModel(vitrine::Model::FromBytes({static_cast<const uint8_t*>(bytes), size}), model);
}

vitrine_status vitrine_model_close(vitrine_model model) {
  return AllTables().models.Remove(model) != nullptr ? VITRINE_OK : Refuse("the model is not open");
}

vitrine_status vitrine_model_describe(vitrine_model handle, vitrine_model_info* info) {
  if (!vitrine::IsKnown(info, vitrine::kModelInfo10))
    return Refuse("info is null, or its struct_size is not set");
  const auto model = AllTables().models.Find(handle);
  if (model == nullptr) return Refuse("the model is not open");
  const vitrine::ModelInfo& from = model->info();
  const vitrine::Grid grid = from.grid;
  return vitrine::WriteStruct(info, {.struct_size = sizeof *info,
                                     .format_major = from.format_major,
                                     .format_minor = from.format_minor,
                                     .family = from.family.empty() ? "" : from.family.data(),
                                     .recipe = from.recipe.empty() ? "" : from.recipe.data(),
                                     .image_height = from.image_height,
                                     .image_width = from.image_width,
                                     .image_channels = from.image_channels,
                                     .grid_height = grid.height,
                                     .grid_width = grid.width,
                                     .tokens = from.tokens,
                                     .macs = from.macs,
                                     .parameters = from.parameters,
                                     .file_bytes = from.file_bytes,
                                     .label_count = model->label_count(),
                                     .level_count = static_cast<int>(model->levels().size()),
                                     .operator_count = static_cast<int>(model->operators().size()),
                                     .sqnr_db = from.sqnr_db,
                                     .agreement = from.agreement});
}

const char* vitrine_model_label(vitrine_model handle, int index) {
  const auto model = AllTables().models.Find(handle);
  return model == nullptr ? "" : model->label(index);
}

vitrine_status vitrine_model_operator(vitrine_model handle, int level, int index,
                                      vitrine_operator_info* info) {
  if (!vitrine::IsKnown(info, vitrine::kOperatorInfo10))
    return Refuse("info is null, or its struct_size is not set");
  const auto model = AllTables().models.Find(handle);
  if (model == nullptr) return Refuse("the model is not open");
  if (level < 0 || static_cast<size_t>(level) >= model->levels().size())
    return Refuse("there is no such level");
  const auto operators = model->levels()[static_cast<size_t>(level)].operators;
  if (index < 0 || static_cast<size_t>(index) >= operators.size()) return Refuse("there is no such operator");
  const vitrine::OperatorInfo& from = operators[static_cast<size_t>(index)];
  return vitrine::WriteStruct(info, {.struct_size = sizeof *info,
                                     .name = from.name,
                                     .kind = from.kind,
                                     .type = from.type,
                                     .rows = from.rows,
                                     .columns = from.columns,
                                     .macs = from.macs});
}

vitrine_status vitrine_pool_create(int threads, vitrine_pool* pool) {
  if (pool == nullptr) return Refuse("pool is null");
  *pool = nullptr;
  vitrine::Result<vitrine::ThreadPool> created = vitrine::ThreadPool::Create(threads);
  if (!created.ok()) return vitrine::Fail(created.status());
  *pool = AllTables().pools.Add(std::make_shared<vitrine::ThreadPool>(std::move(created).value()));
  return *pool != nullptr ? VITRINE_OK : Refuse("too many pools are open");
}

vitrine_status vitrine_pool_close(vitrine_pool pool) {
  return AllTables().pools.Remove(pool) != nullptr ? VITRINE_OK : Refuse("the pool is not open");
}

vitrine_status vitrine_session_create(vitrine_model handle, const vitrine_session_options* options,
                                      vitrine_session* session) {
  if (session == nullptr) return Refuse("session is null");
  *session = nullptr;
  const auto model = AllTables().models.Find(handle);
  if (model == nullptr) return Refuse("the model is not open");
  vitrine::SessionOptions chosen;
  std::shared_ptr<vitrine::ThreadPool> pool;
  if (options != nullptr) {
    if (!vitrine::IsKnown(options, vitrine::kSessionOptions10))
      return Refuse("the options' struct_size is not set");
    const vitrine_session_options wanted = vitrine::ReadStruct(options);
    if (wanted.arena == nullptr && wanted.arena_bytes != 0) return Refuse("the arena is null");
    if (wanted.pool != nullptr && (pool = AllTables().pools.Find(wanted.pool)) == nullptr)
      return Refuse("the pool is not open");
    chosen = {.thread_count = wanted.thread_count,
              .thread_pool = pool.get(),
              .arena = {static_cast<std::byte*>(wanted.arena), wanted.arena_bytes},
              .packed_weights = wanted.packed_weights,
              .attention_map = wanted.attention_map != 0};
  }
  vitrine::Result<vitrine::Session> created = vitrine::Session::Create(*model, chosen);
  if (!created.ok()) return vitrine::Fail(created.status());
  *session = AllTables().sessions.Add(std::make_shared<vitrine::CSession>(model, std::move(created).value()));
  return *session != nullptr ? VITRINE_OK : Refuse("too many sessions are open");
}

vitrine_status vitrine_session_close(vitrine_session session) {
  return With(session, [&](const Use&) {
    return AllTables().sessions.Remove(session) != nullptr ? VITRINE_OK : Refuse("the session is not open");
  });
}

size_t vitrine_session_arena_bytes(vitrine_session session) {
  size_t bytes = 0;
  (void)With(session, [&](const Use& use) {
    bytes = use.session().arena_bytes();
    return VITRINE_OK;
  });
  return bytes;
}

vitrine_status vitrine_session_set_level(vitrine_session session, int level) {
  return With(session, [&](const Use& use) { return Returned(use.session().SetLevel(level)); });
}

vitrine_status vitrine_session_set_image(vitrine_session session, const vitrine_image* given) {
  if (!vitrine::IsKnown(given, vitrine::kImage10))
    return Refuse("image is null, or its struct_size is not set");
  const vitrine_image image = vitrine::ReadStruct(given);
  if (vitrine::IsBeyond(image.format, VITRINE_NV21)) return Refuse("the image's format is not known");
  return With(session, [&](const Use& use) {
    const vitrine::ImageView whole = vitrine::ViewOf(image);
    if (image.crop_width == 0) return Returned(use.session().SetImage(whole));
    const auto part =
        vitrine::CropOf(whole, {image.crop_left, image.crop_top, image.crop_width, image.crop_height});
    return part.ok() ? Returned(use.session().SetImage(part.value())) : vitrine::Fail(part.status());
  });
}

vitrine_status vitrine_session_set_jpeg(vitrine_session session, const void* bytes, size_t size) {
  if (bytes == nullptr) return Refuse("bytes is null");
  return With(session, [&](const Use& use) {
    return Returned(use.session().SetJpeg({static_cast<const uint8_t*>(bytes), size}));
  });
}

vitrine_status vitrine_session_set_file(vitrine_session session, const char* path) {
  if (path == nullptr) return Refuse("path is null");
  return With(session, [&](const Use& use) { return vitrine::SetPhoto(use, vitrine::Image::Load(path)); });
}

vitrine_status vitrine_session_set_photo(vitrine_session session, const void* bytes, size_t size) {
  if (bytes == nullptr) return Refuse("bytes is null");
  return With(session, [&](const Use& use) {
    return vitrine::SetPhoto(use, vitrine::Image::Decode({static_cast<const uint8_t*>(bytes), size}));
  });
}

vitrine_status vitrine_session_input(vitrine_session session, uint8_t** data, size_t* bytes) {
  if (data == nullptr || bytes == nullptr) return Refuse("data or bytes is null");
  *data = nullptr;
  *bytes = 0;
  return With(session, [&](const Use& use) {
    const std::span<uint8_t> input = use.session().input();
    *data = input.data();
    *bytes = input.size();
    return VITRINE_OK;
  });
}

vitrine_status vitrine_session_region_seen(vitrine_session session, int width, int height,
                                           vitrine_region* region) {
  if (region == nullptr) return Refuse("region is null");
  return With(session, [&](const Use& use) {
    const vitrine::Region seen = use.session().RegionSeen(width, height);
    *region = {seen.x, seen.y, seen.width, seen.height};
    return VITRINE_OK;
  });
}

vitrine_status vitrine_session_run(vitrine_session session) {
  return With(session, [](const Use& use) { return Returned(use.session().Run()); });
}

vitrine_status vitrine_session_profile(vitrine_session session, double* microseconds, size_t count) {
  if (microseconds == nullptr) return Refuse("microseconds is null");
  return With(session, [&](const Use& use) {
    const auto level = static_cast<size_t>(use.session().level());
    if (count != use.model().levels()[level].operators.size())
      return Refuse("count is not the number of the level's operators");
    vitrine::Stopwatch watch = {microseconds, vitrine::Stopwatch::Clock::now()};
    return Returned(use.session().Run({vitrine::Stopwatch::After, &watch}));
  });
}

vitrine_status vitrine_session_logits(vitrine_session session, const float** data, size_t* count) {
  return vitrine::Give(session, data, count, [](const vitrine::Session& s) { return s.logits(); });
}

vitrine_status vitrine_session_embedding(vitrine_session session, const float** data, size_t* count) {
  return vitrine::Give(session, data, count, [](const vitrine::Session& s) { return s.embedding(); });
}

vitrine_status vitrine_session_patch_features(vitrine_session session, const float** data, size_t* count) {
  return vitrine::Give(session, data, count, [](const vitrine::Session& s) { return s.patch_features(); });
}

vitrine_status vitrine_session_attention_map(vitrine_session session, const float** data, size_t* count) {
  return vitrine::Give(session, data, count, [](const vitrine::Session& s) { return s.attention_map(); });
}

vitrine_status vitrine_session_set_attention_map(vitrine_session session, vitrine_attention_map kind) {
  if (vitrine::IsBeyond(kind, VITRINE_ATTENTION_LAST_BLOCK)) return Refuse("that attention map is not known");
  return With(session, [&](const Use& use) {
    return Returned(use.session().SetAttentionMap(static_cast<vitrine::AttentionMap>(kind)));
  });
}

vitrine_status vitrine_session_top(vitrine_session session, vitrine_guess* top, size_t capacity,
                                   size_t* count) {
  if (count == nullptr || (top == nullptr && capacity != 0)) return Refuse("top or count is null");
  *count = 0;
  return With(session, [&](const Use& use) {
    static_assert(sizeof(vitrine_guess) == sizeof(vitrine::Guess));
    *count = vitrine::TopClasses(use.session().logits(), {reinterpret_cast<vitrine::Guess*>(top), capacity});
    return VITRINE_OK;
  });
}
