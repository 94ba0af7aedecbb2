// SPDX-License-Identifier: Apache-2.0
#include <vitrine/vitrine.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "tests/support/run.h"

namespace vitrine {
namespace {

vitrine_session_options Options(int threads = 1) {
  vitrine_session_options options = {};
  options.struct_size = sizeof options;
  options.thread_count = threads;
  return options;
}

/// A model of 8 x 8 pixels and its session.
struct Opened {
  testing::ModelBytes bytes = testing::TinyVit(true);
  vitrine_model model = nullptr;
  vitrine_session session = nullptr;

  explicit Opened(const vitrine_session_options& options = Options()) {
    REQUIRE(vitrine_model_from_bytes(bytes.bytes().data(), bytes.bytes().size(), &model) == VITRINE_OK);
    REQUIRE(vitrine_session_create(model, &options, &session) == VITRINE_OK);
  }
  ~Opened() {
    vitrine_session_close(session);
    vitrine_model_close(model);
  }
};

vitrine_image ImageOf(const std::vector<uint8_t>& pixels, int width, int height, vitrine_format format,
                      ptrdiff_t stride) {
  vitrine_image image = {};
  image.struct_size = sizeof image;
  image.pixels = pixels.data();
  image.width = width;
  image.height = height;
  image.stride_bytes = stride;
  image.format = format;
  return image;
}

std::vector<uint8_t> Ramp(size_t bytes) {
  std::vector<uint8_t> values(bytes);
  for (size_t i = 0; i < bytes; ++i) values[i] = static_cast<uint8_t>(37 * i + i / 7);
  return values;
}

std::vector<float> Logits(vitrine_session session) {
  const float* data = nullptr;
  size_t count = 0;
  REQUIRE(vitrine_session_run(session) == VITRINE_OK);
  REQUIRE(vitrine_session_logits(session, &data, &count) == VITRINE_OK);
  return {data, data + count};
}

/// Returns the result for a fixed picture, because a run keeps nothing of its input.
std::vector<float> LogitsOfRamp(vitrine_session session) {
  const std::vector<uint8_t> pixels = Ramp(8 * 8 * 3);
  const vitrine_image image = ImageOf(pixels, 8, 8, VITRINE_RGB8, 24);
  REQUIRE(vitrine_session_set_image(session, &image) == VITRINE_OK);
  return Logits(session);
}

TEST_CASE("C and C++ give the same logits") {
  Opened c;
  const std::vector<uint8_t> pixels = Ramp(31 * 17 * 3);
  const vitrine_image image = ImageOf(pixels, 31, 17, VITRINE_RGB8, 31 * 3);
  REQUIRE(vitrine_session_set_image(c.session, &image) == VITRINE_OK);
  const Model model = std::move(Model::FromBytes(c.bytes.bytes())).value();
  Session session = std::move(Session::Create(model, {})).value();
  REQUIRE(session.SetImage({pixels.data(), 31, 17, 31 * 3, PixelFormat::kRgb8}).ok());
  REQUIRE(session.Run().ok());
  CHECK(Logits(c.session) == std::vector<float>(session.logits().begin(), session.logits().end()));
}

TEST_CASE("A C session tells the best classes, times operators and shows where it looked") {
  vitrine_session_options options = Options(2);
  options.attention_map = 1;
  Opened c(options);
  vitrine_model_info info = {};
  info.struct_size = sizeof info;
  REQUIRE(vitrine_model_describe(c.model, &info) == VITRINE_OK);
  CHECK(info.image_height == 8);
  CHECK(info.level_count == 1);
  CHECK(info.grid_height * info.grid_width > 0);

  const std::vector<float> logits = LogitsOfRamp(c.session);
  std::vector<vitrine_guess> top(logits.size() + 3);
  size_t count = 0;
  REQUIRE(vitrine_session_top(c.session, top.data(), top.size(), &count) == VITRINE_OK);
  REQUIRE(count == logits.size());
  for (size_t i = 1; i < count; ++i) CHECK(top[i].probability <= top[i - 1].probability);

  std::vector<double> times(static_cast<size_t>(info.operator_count), -1);
  REQUIRE(vitrine_session_profile(c.session, times.data(), times.size()) == VITRINE_OK);
  for (const double time : times) CHECK(time >= 0);
  vitrine_operator_info op = {};
  op.struct_size = sizeof op;
  REQUIRE(vitrine_model_operator(c.model, 0, info.operator_count - 1, &op) == VITRINE_OK);
  CHECK(std::string(op.name) != "");

  const float* map = nullptr;
  REQUIRE(vitrine_session_set_attention_map(c.session, VITRINE_ATTENTION_ROLLOUT) == VITRINE_OK);
  CHECK(LogitsOfRamp(c.session) == logits);
  REQUIRE(vitrine_session_attention_map(c.session, &map, &count) == VITRINE_OK);
  CHECK(count == static_cast<size_t>(info.grid_height * info.grid_width));
}

TEST_CASE("The region that a model sees is the library's") {
  Opened c;
  auto model = Model::FromBytes(c.bytes.bytes());
  REQUIRE(model.ok());
  auto session = Session::Create(model.value(), {});
  REQUIRE(session.ok());
  const Region expected = session.value().RegionSeen(20, 10);
  vitrine_region region = {};
  REQUIRE(vitrine_session_region_seen(c.session, 20, 10, &region) == VITRINE_OK);
  CHECK(region.x == expected.x);
  CHECK(region.y == expected.y);
  CHECK(region.width == expected.width);
  CHECK(region.height == expected.height);
  CHECK(vitrine_session_region_seen(c.session, 20, 10, nullptr) == VITRINE_INVALID_ARGUMENT);
  CHECK(vitrine_session_region_seen(nullptr, 20, 10, &region) == VITRINE_INVALID_ARGUMENT);
}

TEST_CASE("A part of a picture is the same as the part alone, in every format") {
  Opened c;
  const int width = 24, height = 20;
  const std::vector<uint8_t> pixels = Ramp(static_cast<size_t>(width * height * 4)),
                             chroma = Ramp(width * height);
  for (int format = VITRINE_RGB8; format <= VITRINE_NV21; ++format) {
    const int bytes = format <= VITRINE_BGR8    ? 3
                      : format == VITRINE_RGBA8 ? 4
                      : format == VITRINE_YUYV8 ? 2
                                                : 1;
    vitrine_image whole = ImageOf(pixels, width, height, static_cast<vitrine_format>(format), width * bytes);
    const bool by_turns = format == VITRINE_NV12 || format == VITRINE_NV21;
    whole.chroma_stride_bytes = by_turns ? width : width / 2;
    whole.chroma[0] = chroma.data();
    whole.chroma[1] = chroma.data() + width * height / 4;
    vitrine_image part = whole;
    whole.crop_left = 4;
    whole.crop_top = 6;
    whole.crop_width = 12;
    whole.crop_height = 10;
    part.pixels += 6 * part.stride_bytes + 4 * bytes;
    part.width = 12;
    part.height = 10;
    part.chroma[0] += 3 * part.chroma_stride_bytes + (by_turns ? 4 : 2);
    part.chroma[1] += 3 * part.chroma_stride_bytes + 2;
    INFO("format " << format);
    REQUIRE(vitrine_session_set_image(c.session, &whole) == VITRINE_OK);
    const std::vector<float> expected = Logits(c.session);
    REQUIRE(vitrine_session_set_image(c.session, &part) == VITRINE_OK);
    CHECK(Logits(c.session) == expected);
    whole.crop_width = 21;
    CHECK(vitrine_session_set_image(c.session, &whole) == VITRINE_INVALID_ARGUMENT);
    whole.crop_width = 12;
    whole.crop_left = 5;
    CHECK((vitrine_session_set_image(c.session, &whole) == VITRINE_OK) == (format <= VITRINE_GRAY8));
  }
}

TEST_CASE("A photo's bytes are the photo") {
  Opened c;
  // A JPEG with an orientation, and a PNG.
  for (const char* name : {"orientation_6.jpg", "gray_alpha.png"}) {
    const std::string path = VITRINE_SOURCE_DIR "/tests/fixtures/image/decode/" + std::string(name);
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(vitrine_session_set_file(c.session, path.c_str()) == VITRINE_OK);
    const std::vector<float> expected = Logits(c.session);
    REQUIRE(vitrine_session_set_photo(c.session, bytes.data(), bytes.size()) == VITRINE_OK);
    CHECK(Logits(c.session) == expected);
  }
}

TEST_CASE("Nulls, wrong sizes and unknown values are refused") {
  Opened c;
  const float* data = nullptr;
  size_t count = 0;
  uint8_t* input = nullptr;
  vitrine_model model = nullptr;
  vitrine_session session = nullptr;
  vitrine_model_info info = {};  // no struct_size
  vitrine_session_options options = {};
  vitrine_image image = {};
  const auto refused = [](vitrine_status status) {
    CHECK(status == VITRINE_INVALID_ARGUMENT);
    CHECK(std::strlen(vitrine_last_error()) > 0);
  };
  refused(vitrine_model_open(nullptr, &model));
  refused(vitrine_model_open("x.vit", nullptr));
  refused(vitrine_model_from_bytes(nullptr, 5, &model));
  CHECK(vitrine_model_open("nowhere/x.vit", &model) == VITRINE_NOT_FOUND);
  CHECK(model == nullptr);
  const std::vector<uint8_t> noise = Ramp(4096);
  alignas(64) static uint8_t aligned[4096];
  std::memcpy(aligned, noise.data(), sizeof aligned);
  CHECK(vitrine_model_from_bytes(aligned, sizeof aligned, &model) == VITRINE_INVALID_MODEL);
  refused(vitrine_model_describe(c.model, nullptr));
  refused(vitrine_model_describe(c.model, &info));
  refused(vitrine_model_close(nullptr));
  CHECK(std::string(vitrine_model_label(c.model, -5)) == "");
  CHECK(std::string(vitrine_model_label(nullptr, 0)) == "");
  refused(vitrine_session_create(c.model, nullptr, nullptr));
  refused(vitrine_session_create(nullptr, nullptr, &session));
  refused(vitrine_session_create(c.model, &options, &session));
  options.struct_size = sizeof options;
  options.thread_count = 10'000;
  refused(vitrine_session_create(c.model, &options, &session));
  options.thread_count = 1;
  options.pool = reinterpret_cast<vitrine_pool>(uintptr_t{12345});
  refused(vitrine_session_create(c.model, &options, &session));
  options.pool = nullptr;
  options.arena_bytes = 100;
  refused(vitrine_session_create(c.model, &options, &session));
  options.arena = aligned;
  options.arena_bytes = 64;
  CHECK(vitrine_session_create(c.model, &options, &session) == VITRINE_ARENA_TOO_SMALL);
  CHECK(session == nullptr);
  refused(vitrine_session_run(nullptr));
  refused(vitrine_session_set_level(c.session, 1));
  CHECK(std::string(vitrine_last_error()) == "the model has no level 1, the last is 0");
  refused(vitrine_session_set_level(c.session, -1));
  refused(vitrine_session_set_image(c.session, nullptr));
  refused(vitrine_session_set_image(c.session, &image));
  image.struct_size = sizeof image;
  refused(vitrine_session_set_image(c.session, &image));
  image = ImageOf(noise, 8, 8, static_cast<vitrine_format>(99), 24);
  refused(vitrine_session_set_image(c.session, &image));
  image = ImageOf(noise, 8, 8, VITRINE_RGB8, 23);
  refused(vitrine_session_set_image(c.session, &image));
  image = ImageOf(noise, -8, 8, VITRINE_RGB8, 24);
  refused(vitrine_session_set_image(c.session, &image));
  refused(vitrine_session_set_jpeg(c.session, nullptr, 10));
  CHECK(vitrine_session_set_jpeg(c.session, noise.data(), noise.size()) == VITRINE_INVALID_IMAGE);
  refused(vitrine_session_set_photo(c.session, nullptr, 10));
  CHECK(vitrine_session_set_photo(c.session, noise.data(), noise.size()) == VITRINE_INVALID_IMAGE);
  refused(vitrine_session_set_file(c.session, nullptr));
  CHECK(vitrine_session_set_file(c.session, "nowhere.jpg") == VITRINE_NOT_FOUND);
  refused(vitrine_session_input(c.session, nullptr, &count));
  refused(vitrine_session_input(c.session, &input, nullptr));
  refused(vitrine_session_logits(c.session, nullptr, &count));
  refused(vitrine_session_logits(c.session, &data, nullptr));
  refused(vitrine_session_top(c.session, nullptr, 3, &count));
  refused(vitrine_session_top(c.session, nullptr, 0, nullptr));
  CHECK(vitrine_session_top(c.session, nullptr, 0, &count) == VITRINE_OK);
  double times[3];
  refused(vitrine_session_profile(c.session, times, 3));
  refused(vitrine_session_profile(c.session, nullptr, 0));
  refused(vitrine_session_set_attention_map(c.session, VITRINE_ATTENTION_ROLLOUT));  // not reserved
  refused(vitrine_session_set_attention_map(c.session, static_cast<vitrine_attention_map>(9)));
  CHECK(vitrine_session_attention_map(c.session, &data, &count) == VITRINE_OK);
  CHECK((data == nullptr && count == 0));
}

TEST_CASE("Closed and made-up handles are known for what they are") {
  Opened c;
  vitrine_session other = nullptr;
  REQUIRE(vitrine_session_create(c.model, nullptr, &other) == VITRINE_OK);
  REQUIRE(vitrine_session_close(other) == VITRINE_OK);
  CHECK(vitrine_session_close(other) == VITRINE_INVALID_ARGUMENT);
  CHECK(vitrine_session_run(other) == VITRINE_INVALID_ARGUMENT);
  vitrine_session next = nullptr;
  REQUIRE(vitrine_session_create(c.model, nullptr, &next) == VITRINE_OK);
  CHECK(next != other);
  CHECK(vitrine_session_run(other) == VITRINE_INVALID_ARGUMENT);
  vitrine_session_close(next);
  for (uintptr_t value = 1; value != 0; value <<= 1) {
    const auto made_up = reinterpret_cast<vitrine_session>(value | 0xABC);
    CHECK(vitrine_session_run(made_up) == VITRINE_INVALID_ARGUMENT);
    CHECK(vitrine_session_arena_bytes(made_up) == 0);
  }
  // A model's sessions work without its handle.
  const std::vector<float> before = LogitsOfRamp(c.session);
  REQUIRE(vitrine_model_close(c.model) == VITRINE_OK);
  CHECK(LogitsOfRamp(c.session) == before);
  CHECK(vitrine_session_create(c.model, nullptr, &next) == VITRINE_INVALID_ARGUMENT);
}

TEST_CASE("Structures of callers who know fewer or more members are read and written as far as both know") {
  Opened c;
  struct Newer {
    vitrine_model_info info;
    int64_t added;
  } newer = {{}, 77};
  newer.info.struct_size = sizeof newer;
  REQUIRE(vitrine_model_describe(c.model, &newer.info) == VITRINE_OK);
  CHECK(newer.info.struct_size == sizeof newer);
  CHECK(newer.info.image_width == 8);
  CHECK(newer.added == 77);

  const size_t first_size = offsetof(vitrine_model_info, agreement) + sizeof(float);  // of version 1.0
  vitrine_model_info info = {};
  info.struct_size = first_size;
  REQUIRE(vitrine_model_describe(c.model, &info) == VITRINE_OK);
  info.struct_size = first_size - 1;
  CHECK(vitrine_model_describe(c.model, &info) == VITRINE_INVALID_ARGUMENT);
  if constexpr (sizeof(void*) == 8) {  // programs compiled against 1.0 use this layout
    CHECK(first_size == 108);
    CHECK(offsetof(vitrine_operator_info, macs) == 48);
    CHECK(offsetof(vitrine_session_options, attention_map) == 48);
    CHECK(offsetof(vitrine_image, crop_height) == 84);
  }
}

TEST_CASE("Of the threads that close a handle one has closed it") {
  Opened c;
  for (int round = 0; round < 200; ++round) {
    vitrine_model model = nullptr;
    REQUIRE(vitrine_model_from_bytes(c.bytes.bytes().data(), c.bytes.bytes().size(), &model) == VITRINE_OK);
    std::atomic<int> waiting{2}, closed{0};
    const auto close = [&] {
      --waiting;
      while (waiting > 0) {
      }
      if (vitrine_model_close(model) == VITRINE_OK) ++closed;
    };
    std::thread other(close);
    close();
    other.join();
    CHECK(closed == 1);
  }
}

TEST_CASE("Two threads in a session: one is told so") {
  Opened c;
  std::atomic<bool> go{false};
  std::atomic<int> done{0}, busy{0}, wrong{0};
  const auto hammer = [&] {
    while (!go) {
    }
    for (int i = 0; i < 400; ++i) {
      const vitrine_status status = vitrine_session_run(c.session);
      ++(status == VITRINE_OK ? done : status == VITRINE_BUSY ? busy : wrong);
    }
  };
  std::thread a(hammer), b(hammer);
  go = true;
  a.join();
  b.join();
  CHECK(done + busy == 800);
  CHECK(done > 0);
  CHECK(wrong == 0);
}

TEST_CASE("Sessions share a pool, and an arena may be the caller's") {
  vitrine_pool pool = nullptr;
  REQUIRE(vitrine_pool_create(2, &pool) == VITRINE_OK);
  CHECK(vitrine_pool_create(0, &pool) == VITRINE_INVALID_ARGUMENT);
  REQUIRE(vitrine_pool_create(2, &pool) == VITRINE_OK);
  Opened alone;
  const size_t bytes = vitrine_session_arena_bytes(alone.session);
  vitrine_session_options options = Options();
  options.pool = pool;
  Opened a(options);
  const std::unique_ptr<void, decltype(&std::free)> arena(std::aligned_alloc(64, 4 * bytes), std::free);
  options.arena = arena.get();
  options.arena_bytes = 4 * bytes;
  Opened b(options);
  CHECK(vitrine_pool_close(pool) == VITRINE_OK);
  CHECK(vitrine_pool_close(pool) == VITRINE_INVALID_ARGUMENT);
  const std::vector<float> expected = LogitsOfRamp(alone.session);
  CHECK(LogitsOfRamp(a.session) == expected);
  CHECK(LogitsOfRamp(b.session) == expected);
}

TEST_CASE("The log is told when packed weights cannot be kept") {
  std::string told;
  vitrine_set_log([](void* context, vitrine_log_level,
                     const char* message) { *static_cast<std::string*>(context) = message; },
                  &told);
  vitrine_session_options options = Options();
  options.packed_weights = "/nowhere/at/all.packed";
  Opened c(options);
  vitrine_set_log(nullptr, nullptr);
  CHECK(told.find("cannot write the packed weights, starts will be slower: /nowhere/at/all.packed") == 0);
}

TEST_CASE("The allocator is set before the first model or not at all") {
  Opened c;
  const auto allocate = [](void*, size_t, size_t) -> void* { return nullptr; };
  const auto release = [](void*, void*) {};
  CHECK(vitrine_set_allocator(allocate, release, nullptr) == VITRINE_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace vitrine
