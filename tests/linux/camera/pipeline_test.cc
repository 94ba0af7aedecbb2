// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/pipeline.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "platforms/linux/camera/live/live_state.h"
#include "platforms/linux/camera/live/snapshot.h"
#include "platforms/linux/camera/sources/source.h"
#include "tests/support/tiny_model.h"

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

/// Gives a fixed number of frames of 40 x 30 in YUYV, some of them damaged.
class MadeUpSource final : public FrameSource {
 public:
  MadeUpSource(int64_t frames, int64_t damaged_every) : frames_(frames), damaged_every_(damaged_every) {
    for (int i = 0; i < Slots::kCount; ++i) slots_.bytes(i).assign(layout_.bytes(), 100);
  }

  Arrival Next(Frame* frame) override {
    if (made_ == frames_ || stopped) return Arrival::kEnd;
    ++made_;
    if (damaged_every_ > 0 && made_ % damaged_every_ == 0) {
      reason_ = "made so";
      return Arrival::kDamaged;
    }
    if (made_ % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    *frame = {layout_, nullptr, layout_.bytes(), FrameClock::now(), slots_.Take()};
    frame->pixels = slots_.bytes(frame->slot).data();
    ++lent;
    return Arrival::kFrame;
  }
  void GiveBack(const Frame& frame) override {
    --lent;
    slots_.GiveBack(frame.slot);
  }

  std::atomic<int> lent = 0;
  std::atomic<bool> stopped = false;

 private:
  FrameLayout layout_ = PackedLayout(PixelFormat::kYuyv8, 40, 30);
  int64_t frames_, damaged_every_, made_ = 0;
  Slots slots_;
};

struct Setup {
  explicit Setup(const SessionOptions& options = {})
      : bytes(testing::TinyVit(true)),
        model(std::move(Model::FromBytes(bytes.bytes())).value()),
        session(std::move(Session::Create(model, options)).value()) {}
  testing::ModelBytes bytes;
  Model model;
  Session session;
};

TEST_CASE("Every frame is decided on, dropped or damaged, and none is kept") {
  for (const bool every_frame : {false, true}) {
    Setup setup;
    MadeUpSource source(5000, 10);
    Pipeline pipeline(&source, &setup.session, nullptr, {.every_frame = every_frame});
    int64_t calls = 0;
    pipeline.Run([&](const Decision& decision) { CHECK(decision.number == calls++); }, [] {});
    CHECK(calls == pipeline.decided());
    CHECK(pipeline.damaged() == 500);
    CHECK(pipeline.decided() + pipeline.dropped() == 4500);
    if (every_frame) CHECK(pipeline.dropped() == 0);
    CHECK(source.lent == 0);
  }
}

TEST_CASE("Nothing is allocated for a frame") {
  Setup setup;
  MadeUpSource source(2000, 0);
  Pipeline pipeline(&source, &setup.session, nullptr, {.every_frame = true});
  size_t before = 0, after = 0;
  pipeline.Run(
      [&](const Decision& decision) {
        if (decision.number == 100) before = allocations;
        if (decision.number == 1999) after = allocations;
      },
      [] {});
  CHECK(pipeline.decided() == 2000);
  CHECK(before == after);
}

TEST_CASE("Nothing is allocated for a frame that is published, looked at or not") {
  for (const bool is_looked_at : {false, true}) {
    Setup setup({.attention_map = true});
    MadeUpSource source(600, 0);
    LiveState state(setup.session);
    Snapshots snapshots;
    Pipeline pipeline(&source, &setup.session, nullptr,
                      {.every_frame = true, .wants_attention = [&] { return state.WantsAttention(); }});
    size_t before = 0, after = 0;
    if (is_looked_at) {  // there is no snapshot yet, but the next frame is kept
      CHECK(state.WaitForAttention().frame == -1);
      CHECK(snapshots.Newest() == nullptr);
    }
    pipeline.Run(
        [&](const Decision& decision) {
          if (decision.number == 100) before = allocations;
          state.Publish(decision);
          snapshots.Offer(decision);
          if (decision.number == 599) after = allocations;
        },
        [] {});
    CHECK(before == after);
    CHECK(state.report().frames == 600);
    if (!is_looked_at) continue;
    CHECK(state.WaitForAttention().frame == 599);
    CHECK(state.WaitForAttention().map.size() ==
          static_cast<size_t>(setup.session.grid().height * setup.session.grid().width));
    const auto jpeg = snapshots.Newest();
    REQUIRE(jpeg != nullptr);
    const auto image = Image::Decode({reinterpret_cast<const uint8_t*>(jpeg->data()), jpeg->size()});
    REQUIRE(image.ok());
    CHECK(image.value().width() == 40);
    CHECK(image.value().height() == 30);
    CHECK(snapshots.Newest() == jpeg);  // encoded once
  }
}

TEST_CASE("Ends after so many decisions, and when the callback throws, and gives back what it has") {
  Setup setup;
  MadeUpSource source(int64_t{1} << 40, 0);
  Pipeline pipeline(&source, &setup.session, nullptr, {.frames = 7});
  pipeline.Run([](const Decision&) {}, [&] { source.stopped = true; });
  CHECK(pipeline.decided() == 7);
  CHECK(source.lent == 0);
  source.stopped = false;
  Pipeline throwing(&source, &setup.session, nullptr, {});
  CHECK_THROWS(throwing.Run([](const Decision&) { throw std::runtime_error("full"); },
                            [&] { source.stopped = true; }));
}

}  // namespace
}  // namespace vitrine
