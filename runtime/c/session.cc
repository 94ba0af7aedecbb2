// SPDX-License-Identifier: Apache-2.0
// The C interface: sessions. It checks handles, sizes and pointers and calls the C++ class.
#include <chrono>

#include "runtime/c/calls.h"

namespace vitrine {
namespace {

/// Sizes of the caller's structures in version 1.0: up to the end of their last member. A caller compiled
/// with that version does not have the members after it, which then count as 0.
constexpr size_t kSessionOptions10 = offsetof(vitrine_session_options, attention_map) + sizeof(int);
constexpr size_t kImage10 = offsetof(vitrine_image, crop_height) + sizeof(int);

/// Returns whether a caller's value is outside an enumeration, which starts at 0. Copies it as bytes, because
/// such a value is undefined in C++.
template <typename Enum>
bool IsBeyond(const Enum& value, Enum last) {
  unsigned number;
  static_assert(sizeof value == sizeof number);
  std::memcpy(&number, &value, sizeof number);
  return number > static_cast<unsigned>(last);
}

/// Sets *data and *count to one of the session's outputs; null and 0 when it is empty.
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

/// Measures the time of each operator, as an Observer.
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
