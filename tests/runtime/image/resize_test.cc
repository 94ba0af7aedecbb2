// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/resize.h"

#include <array>
#include <sstream>

#include "runtime/image/pixels.h"
#include "runtime/image/resize_rows.h"
#include "tests/runtime/image/image_test.h"
#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine {
namespace {

using kernels::Guarded;
using kernels::OnEveryTarget;

ResizeShape Whole(int width, int height, int target_width, int target_height, Interpolation interpolation,
                  int channels = 3) {
  return {width,    height,       target_width, target_height, {0, 0, target_width, target_height},
          channels, interpolation};
}

/// Resizes packed pixels; `shape` sets the number of channels.
std::vector<uint8_t> Resize(const ResizeShape& shape, std::span<const uint8_t> pixels, ResizePlan* plan) {
  const Status status = plan->Prepare(shape);
  INFO(status.message());
  REQUIRE(status.ok());
  std::vector<uint8_t> out(static_cast<size_t>(shape.kept.width * shape.kept.height * shape.channels));
  const ImageView view = {pixels.data(), shape.source_width, shape.source_height,
                          ptrdiff_t{shape.channels} * shape.source_width,
                          shape.channels == 3 ? PixelFormat::kRgb8 : PixelFormat::kGray8};
  plan->Run(view, out.data(), ptrdiff_t{shape.kept.width} * shape.channels);
  return out;
}

TEST_CASE("Resizes noise of 448 shapes to the bytes that Pillow gives, on every instruction set") {
  OnEveryTarget([] {
    std::ifstream list(ImageFixtures() / "resizes.txt");
    REQUIRE(list.is_open());
    int width, height, target_width, target_height, interpolation, channels;
    std::string crc;
    uint32_t number = 0;
    ResizePlan plan;
    while (list >> width >> height >> target_width >> target_height >> interpolation >> channels >> crc) {
      const auto pixels =
          Noise(static_cast<size_t>(width) * static_cast<size_t>(height * channels), ++number);
      const auto out = Resize(Whole(width, height, target_width, target_height,
                                    static_cast<Interpolation>(interpolation), channels),
                              pixels, &plan);
      INFO("line " << number << ": " << width << "x" << height << " to " << target_width << "x"
                   << target_height << ", interpolation " << interpolation << ", channels " << channels);
      REQUIRE(Crc32(out) == std::stoul(crc, nullptr, 16));
    }
    CHECK(number == 448);
  });
}

TEST_CASE("Keeps exactly the part of the whole that a crop asks for") {
  const auto pixels = Noise(90 * 70 * 3, 7);
  ResizePlan plan;
  for (const auto& [width, height] : {std::pair{40, 30}, {90, 20}, {20, 70}, {200, 20}, {10, 200}}) {
    for (const Interpolation interpolation : {Interpolation::kNearest, Interpolation::kBicubic}) {
      ResizeShape shape = Whole(90, 70, width, height, interpolation);
      const auto whole = Resize(shape, pixels, &plan);
      shape.kept = {width / 3, height / 4, width / 2, height / 2};
      const auto part = Resize(shape, pixels, &plan);
      for (int y = 0; y < shape.kept.height; ++y) {
        const size_t row = static_cast<size_t>(shape.kept.width) * 3;
        const size_t from = static_cast<size_t>((shape.kept.top + y) * width + shape.kept.left) * 3;
        REQUIRE(CountDifferences({part.data() + static_cast<size_t>(y) * row, row},
                                 {whole.data() + from, row}) == 0);
      }
    }
  }
}

/// A picture in another format, with padded rows or stored bottom up, and its view.
struct Stored {
  std::vector<uint8_t> bytes;
  ImageView view;
};

Stored Store(std::span<const uint8_t> rgb, int width, int height, PixelFormat format, bool bottom_up) {
  const int samples = format == PixelFormat::kRgba8 ? 4 : 3;
  const int stride = width * samples + 5;
  Stored stored{std::vector<uint8_t>(static_cast<size_t>(stride * height), 0xEE), {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* from = rgb.data() + 3 * (y * width + x);
      uint8_t* to = stored.bytes.data() + (bottom_up ? height - 1 - y : y) * stride + samples * x;
      const bool reversed = format == PixelFormat::kBgr8;
      to[reversed ? 2 : 0] = from[0], to[1] = from[1], to[reversed ? 0 : 2] = from[2];
    }
  }
  const uint8_t* first = stored.bytes.data() + (bottom_up ? (height - 1) * stride : 0);
  stored.view = {first, width, height, bottom_up ? -stride : stride, format};
  return stored;
}

TEST_CASE("Gives the same for every pixel format and stride") {
  const auto rgb = Noise(61 * 83 * 3, 3);
  ResizePlan plan;
  // Horizontal first, vertical first, one direction only, and none.
  for (const auto& [width, height] : {std::pair{20, 70}, {50, 20}, {61, 30}, {30, 83}, {61, 83}}) {
    const ResizeShape shape = Whole(61, 83, width, height, Interpolation::kBicubic);
    const auto expected = Resize(shape, rgb, &plan);
    for (const PixelFormat format : {PixelFormat::kRgb8, PixelFormat::kBgr8, PixelFormat::kRgba8}) {
      for (const bool bottom_up : {false, true}) {
        const Stored stored = Store(rgb, 61, 83, format, bottom_up);
        REQUIRE(CheckView(stored.view).ok());
        std::vector<uint8_t> out(expected.size());
        plan.Run(stored.view, out.data(), ptrdiff_t{3} * width);
        INFO(width << "x" << height << " format " << static_cast<int>(format) << " bottom up " << bottom_up);
        CHECK(CountDifferences(out, expected) == 0);
      }
    }
  }
}

TEST_CASE("Reads gray as equal red, green and blue, and colour as Pillow's L") {
  const std::array<uint8_t, 9> rgb = {255, 0, 0, 0, 255, 0, 10, 20, 31};
  const ImageView color = {rgb.data(), 3, 1, 9, PixelFormat::kRgb8};
  std::array<uint8_t, 3> gray;
  ReadRow(color, 0, 0, 3, RowLayout::kGray, gray.data());
  CHECK(gray == std::array<uint8_t, 3>{76, 150, 18});
  const ImageView gray_view = {gray.data(), 3, 1, 3, PixelFormat::kGray8};
  std::array<uint8_t, 6> spread;
  ReadRow(gray_view, 1, 0, 2, RowLayout::kRgb, spread.data());
  CHECK(spread == std::array<uint8_t, 6>{150, 150, 150, 18, 18, 18});
}

TEST_CASE("Row kernels agree with their plain reference and stay within their buffers") {
  OnEveryTarget([] {
    for (const auto& [source, target] : {std::pair{1, 1}, {5, 3}, {17, 16}, {64, 7}, {100, 33}, {33, 100}}) {
      const LineResize line = {source, target, 0, target, Interpolation::kLanczos};
      Taps taps = MeasureTaps(line);
      std::vector<int32_t> first(static_cast<size_t>(taps.count)), used(first.size());
      std::vector<int32_t> weights(first.size() * static_cast<size_t>(taps.stride));
      taps.first = first.data(), taps.used = used.data(), taps.weights = weights.data();
      ComputeTaps(line, taps);
      const size_t pixels = static_cast<size_t>(taps.source_end - taps.source_begin);
      Guarded<uint8_t> rgbx(Noise(4 * pixels + kRowPadding, 5)), out(3 * first.size());
      std::vector<uint8_t> expected(out.size());
      ResizeRowRgb(rgbx.data(), taps, out.data());
      reference::ResizeRowRgb(rgbx.data(), taps, expected.data());
      INFO(source << " to " << target);
      CHECK(CountDifferences({out.data(), out.size()}, expected) == 0);
    }
    for (const size_t bytes : {1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 672}) {
      Guarded<uint8_t> a(Noise(bytes, 1)), b(Noise(bytes, 2)), c(Noise(bytes, 3)), out(bytes);
      const uint8_t* rows[] = {a.data(), b.data(), c.data()};
      const int32_t weights[] = {-500000, 5000000, -305696};
      std::vector<uint8_t> expected(bytes);
      MixRows(rows, weights, 3, bytes, out.data());
      reference::MixRows(rows, weights, 3, bytes, expected.data());
      INFO(bytes << " bytes");
      CHECK(CountDifferences({out.data(), bytes}, expected) == 0);
    }
    for (const int count : {1, 15, 16, 17, 50}) {
      for (const bool reversed : {false, true}) {
        const size_t pixels = static_cast<size_t>(count);
        Guarded<uint8_t> rgb(Noise(3 * pixels, 9)), out(4 * pixels);
        std::vector<uint8_t> expected(4 * pixels);
        SpreadRgb(rgb.data(), count, reversed, out.data());
        reference::SpreadRgb(rgb.data(), count, reversed, expected.data());
        for (size_t i = 0; i < pixels; ++i) {
          CHECK(CountDifferences({out.data() + 4 * i, 3}, {expected.data() + 4 * i, 3}) == 0);
        }
      }
    }
  });
}

TEST_CASE("Weights of every filter sum to one within half a unit for each") {
  for (int interpolation = 0; interpolation <= 5; ++interpolation) {
    for (const auto& [source, target] : {std::pair{1000, 224}, {224, 1000}, {7, 3}, {65535, 1}}) {
      const LineResize line = {source, target, 0, target, static_cast<Interpolation>(interpolation)};
      Taps taps = MeasureTaps(line);
      std::vector<int32_t> first(static_cast<size_t>(taps.count)), used(first.size());
      std::vector<int32_t> weights(first.size() * static_cast<size_t>(taps.stride));
      taps.first = first.data(), taps.used = used.data(), taps.weights = weights.data();
      ComputeTaps(line, taps);
      for (int i = 0; i < taps.count; ++i) {
        int64_t sum = 0;
        for (int t = 0; t < taps.stride; ++t) sum += weights[static_cast<size_t>(i * taps.stride + t)];
        REQUIRE(std::abs(sum - (int64_t{1} << kWeightBits)) <= used[static_cast<size_t>(i)] / 2 + 1);
        REQUIRE(first[static_cast<size_t>(i)] >= 0);
        REQUIRE(first[static_cast<size_t>(i)] + used[static_cast<size_t>(i)] <= source);
      }
    }
  }
}

TEST_CASE("Refuses a shape without pixels or with a crop outside it") {
  ResizePlan plan;
  CHECK_FALSE(plan.Prepare(Whole(0, 5, 3, 3, Interpolation::kBox)).ok());
  CHECK_FALSE(plan.Prepare(Whole(5, 5, 3, -1, Interpolation::kBox)).ok());
  ResizeShape shape = Whole(5, 5, 10, 10, Interpolation::kBox);
  for (const Crop& kept :
       {Crop{0, 0, 0, 1}, {-1, 0, 2, 2}, {0, 9, 2, 2}, {8, 0, 3, 1}, {1, 1, INT32_MAX, 1}}) {
    shape.kept = kept;
    CHECK_FALSE(plan.Prepare(shape).ok());
  }
}

}  // namespace
}  // namespace vitrine
