// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <vitrine/vitrine.hpp>

#include "runtime/ops/xnnpack.h"
#include "tests/support/run.h"

namespace {
// Counts every allocation of the process through malloc and operator new.
std::atomic<size_t> allocations{0};
}  // namespace

extern "C" void* __libc_malloc(size_t bytes);
#if !defined(__SANITIZE_ADDRESS__)
extern "C" void* malloc(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
#endif

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<uint8_t> Noise(size_t bytes, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> values(bytes);
  for (uint8_t& v : values) v = static_cast<uint8_t>(random());
  return values;
}

std::vector<float> LogitsOf(Session& session, const std::vector<uint8_t>& image) {
  std::memcpy(session.input().data(), image.data(), image.size());
  REQUIRE(session.Run().ok());
  return {session.logits().begin(), session.logits().end()};
}

Session Open(const Model& model, int threads = 1) {
  Result<Session> session = Session::Create(model, {.thread_count = threads});
  INFO(session.status().message());
  REQUIRE(session.ok());
  return std::move(session).value();
}

Model Load(const testing::ModelBytes& bytes) {
  Result<Model> model = Model::FromBytes(bytes.bytes());
  INFO(model.status().message());
  REQUIRE(model.ok());
  return std::move(model).value();
}

TEST_CASE("DescribesTheModel") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  CHECK(model.info().image_height == 8);
  CHECK(model.info().tokens == 5);
  CHECK(model.info().resize == "shortest side 10");
  CHECK(model.operators().size() == 13);
  CHECK(std::string(model.operators()[1].type) == "qd8_f32_qc8w");
  CHECK(model.operators()[1].macs == 4 * 48 * 16);
  CHECK(std::string(model.label(2)) == "fish");
  CHECK(std::string(model.label(3)).empty());
}

TEST_CASE("Int8IsCloseToF32") {
  const testing::ModelBytes int8_bytes = testing::TinyVit(true), f32_bytes = testing::TinyVit(false);
  const Model int8_model = Load(int8_bytes), f32_model = Load(f32_bytes);
  Session int8 = Open(int8_model), f32 = Open(f32_model);
  for (uint32_t seed = 0; seed < 5; ++seed) {
    const std::vector<uint8_t> image = Noise(8 * 8 * 3, seed);
    CHECK(testing::Sqnr(LogitsOf(f32, image), LogitsOf(int8, image)) > 20);  // 16 columns average little
  }
}

TEST_CASE("GivesTheSameBytesForEveryThreadCountAndRun") {
  for (const bool int8 : {true, false}) {
    const testing::ModelBytes bytes = testing::TinyVit(int8);
    const Model model = Load(bytes);
    const std::vector<uint8_t> image = Noise(8 * 8 * 3, 1), other = Noise(8 * 8 * 3, 2);
    Session one = Open(model, 1);
    const std::vector<float> expected = LogitsOf(one, image);
    LogitsOf(one, other);
    CHECK(LogitsOf(one, image) == expected);
    for (const int threads : {2, 3, 8}) {
      Session many = Open(model, threads);
      CHECK(many.thread_count() == threads);
      CHECK(LogitsOf(many, image) == expected);
    }
  }
}

TEST_CASE("ComputesTheAttentionMapWithoutChangingTheLogits") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  const std::vector<uint8_t> image = Noise(8 * 8 * 3, 1);
  Session plain = Open(model);
  const std::vector<float> expected = LogitsOf(plain, image);
  CHECK(plain.SetAttentionMap(AttentionMap::kRollout).code() == Code::kInvalidArgument);
  CHECK(plain.SetAttentionMap(AttentionMap::kNone).ok());
  CHECK(plain.attention_map().empty());
  std::vector<float> first;
  for (const int threads : {1, 3}) {
    Session session =
        std::move(Session::Create(model, {.thread_count = threads, .attention_map = true})).value();
    CHECK(LogitsOf(session, image) == expected);
    CHECK(session.attention_map().empty());
    for (const AttentionMap kind : {AttentionMap::kRollout, AttentionMap::kLastBlock}) {
      REQUIRE(session.SetAttentionMap(kind).ok());
      const size_t before = allocations.load();
      REQUIRE(session.Run().ok());
      CHECK(allocations.load() == before);
      CHECK(LogitsOf(session, image) == expected);
      const std::span<const float> map = session.attention_map();
      const Grid grid = session.grid();
      REQUIRE(map.size() == static_cast<size_t>(grid.height * grid.width));
      float sum = 0;
      for (const float share : map) {
        CHECK(share >= 0);
        sum += share;
      }
      CHECK(sum > 0.01f);
      CHECK(sum < 1.00001f);
      if (kind != AttentionMap::kRollout) continue;
      if (first.empty()) first.assign(map.begin(), map.end());
      CHECK(first == std::vector<float>(map.begin(), map.end()));
    }
    CHECK(session.SetAttentionMap(static_cast<AttentionMap>(7)).code() == Code::kInvalidArgument);
  }
}

TEST_CASE("SessionsShareAModel") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  Session a = Open(model), b = Open(model);
  const std::vector<uint8_t> image = Noise(8 * 8 * 3, 1), other = Noise(8 * 8 * 3, 2);
  const std::vector<float> expected = LogitsOf(a, image);
  LogitsOf(b, other);
  CHECK(std::vector<float>(a.logits().begin(), a.logits().end()) == expected);
  Session moved = std::move(a);
  CHECK(LogitsOf(moved, image) == expected);
}

TEST_CASE("WorksInAnArenaGrownStepByStep") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  const size_t needed = Open(model).arena_bytes();
  const auto memory = std::unique_ptr<std::byte, decltype(&std::free)>(
      static_cast<std::byte*>(std::aligned_alloc(64, needed + 64)), std::free);
  for (size_t size = 64; size < needed; size += 64) {
    const Result<Session> session = Session::Create(model, {.arena = {memory.get(), size}});
    REQUIRE_FALSE(session.ok());
    CHECK(session.status().code() == Code::kArenaTooSmall);
    CHECK_THAT(session.status().message(), ContainsSubstring(std::to_string(needed)));
  }
  Result<Session> session = Session::Create(model, {.arena = {memory.get(), needed}});
  REQUIRE(session.ok());
  Session own = Open(model);
  const std::vector<uint8_t> image = Noise(8 * 8 * 3, 5);
  CHECK(LogitsOf(session.value(), image) == LogitsOf(own, image));
  const Result<Session> crooked = Session::Create(model, {.arena = {memory.get() + 4, needed}});
  CHECK(crooked.status().code() == Code::kInvalidArgument);
}

TEST_CASE("AllocatesNothingAfterTheFirstFrame") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  for (const int threads : {1, 2}) {
    Session session = Open(model, threads);
    const std::vector<uint8_t> photo = Noise(31 * 17 * 3, 4);
    const ImageView view{photo.data(), 31, 17, 31 * 3, PixelFormat::kRgb8};
    REQUIRE(session.SetImage(view).ok());
    REQUIRE(session.Run().ok());
    const size_t before = allocations.load();
    bool ok = true;
    for (int frame = 0; frame < 100; ++frame) ok = session.SetImage(view).ok() && session.Run().ok() && ok;
    CHECK(allocations.load() == before);
    CHECK(ok);
  }
  CHECK(RefusedXnnpackAllocations() == 0);
}

TEST_CASE("RefusesADamagedWeightWhenTheSessionReadsIt") {
  testing::ModelBytes bytes = testing::TinyVit(true);
  bytes.bytes()[bytes.bytes().size() - 500] ^= 4;
  const Model model = Load(bytes);
  const Result<Session> session = Session::Create(model, {});
  REQUIRE_FALSE(session.ok());
  CHECK(session.status().code() == Code::kInvalidModel);
  CHECK_THAT(session.status().message(), ContainsSubstring("is damaged"));
}

TEST_CASE("RefusesThreadCountsOutOfRange") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  CHECK(Session::Create(model, {.thread_count = -1}).status().code() == Code::kInvalidArgument);
  CHECK(Session::Create(model, {.thread_count = 1'000'000}).status().code() == Code::kInvalidArgument);
  CHECK(Session::Create(model, {.thread_count = 0}).ok());
}

TEST_CASE("GivesFiniteLogitsForConstantImages") {
  for (const bool int8 : {true, false}) {
    const testing::ModelBytes bytes = testing::TinyVit(int8);
    const Model model = Load(bytes);
    Session session = Open(model);
    for (const uint8_t value : {0, 1, 127, 128, 255}) {
      for (const float logit : LogitsOf(session, std::vector<uint8_t>(8 * 8 * 3, value)))
        CHECK(std::isfinite(logit));
    }
  }
}

TEST_CASE("ReadOutputChecksItsArguments") {
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Load(bytes);
  const Session session = Open(model);
  std::vector<float> values(3);
  CHECK(session.ReadOutput(-1, values).code() == Code::kInvalidArgument);
  CHECK(session.ReadOutput(13, values).code() == Code::kInvalidArgument);
  CHECK(session.ReadOutput(0, values).code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
