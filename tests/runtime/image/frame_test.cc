// SPDX-License-Identifier: Apache-2.0
// Compares a camera's pixel formats with the same picture converted to RGB as a whole.
#include <catch2/generators/catch_generators.hpp>

#include "runtime/image/frame_rows.h"
#include "runtime/image/decode/jpeg.h"
#include "runtime/image/pixels.h"
#include "runtime/image/preprocess.h"
#include "runtime/image/yuv_rows.h"
#include "tests/runtime/image/image_test.h"
#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine {
namespace {

using kernels::Guarded;
using kernels::OnEveryTarget;

/// A frame of noise in a format, in a buffer that ends with its last byte.
struct Frame {
  Frame(PixelFormat format, int width, int height, uint32_t seed)
      : bytes(Noise(SizeOf(format, width, height), seed)) {
    view = {bytes.data(), width, height, width, format};
    const int across = (width + 1) / 2, down = (height + 1) / 2;
    if (format == PixelFormat::kYuyv8) view.stride_bytes = 2 * width;
    if (format != PixelFormat::kYuyv8) {
      view.chroma[0] = bytes.data() + width * height;
      view.chroma[1] = view.chroma[0] + across * down;
      view.chroma_stride_bytes = format == PixelFormat::kI420 ? across : 2 * across;
    }
  }
  static size_t SizeOf(PixelFormat format, int width, int height) {
    const int chroma = (width + 1) / 2 * ((height + 1) / 2) * 2;
    return static_cast<size_t>(format == PixelFormat::kYuyv8 ? 2 * width * height : width * height + chroma);
  }

  Guarded<uint8_t> bytes;
  ImageView view;
};

constexpr PixelFormat kYuvFormats[] = {PixelFormat::kYuyv8, PixelFormat::kNv12, PixelFormat::kI420,
                                       PixelFormat::kNv21};

double Clamped(double level) { return std::clamp(level, 0.0, 255.0); }

TEST_CASE("NV21 is NV12 with V before U") {
  for (const int width : {2, 15, 16, 17, 46, 47}) {
    Frame nv21(PixelFormat::kNv21, width, 4, 7);
    Frame nv12(PixelFormat::kNv12, width, 4, 7);
    uint8_t* chroma = nv12.bytes.data() + width * 4;
    for (int i = 0; i < (width + 1) / 2 * 4; i += 2) std::swap(chroma[i], chroma[i + 1]);
    std::vector<uint8_t> expected(static_cast<size_t>(3 * width)), row(expected.size());
    for (int y = 0; y < 4; ++y) {
      INFO("row " << y << " of " << width << " pixels");
      ReadRow(nv12.view, 0, y, width, RowLayout::kRgb, expected.data());
      ReadRow(nv21.view, 0, y, width, RowLayout::kRgb, row.data());
      CHECK(row == expected);
    }
  }
}

TEST_CASE("YUV becomes RGB as BT.601 and BT.709 say, within a level, for every combination of samples") {
  const auto matrix = GENERATE(YuvMatrix::kBt601, YuvMatrix::kBt709);
  const auto range = GENERATE(YuvRange::kLimited, YuvRange::kFull);
  const bool full = range == YuvRange::kFull;
  // ITU-R BT.601-7 and BT.709-6: the factors of V in red and green, and of U in green and blue.
  const double red_v = matrix == YuvMatrix::kBt601 ? 1.402 : 1.5748,
               green_v = matrix == YuvMatrix::kBt601 ? -0.714136 : -0.468124;
  const double blue_u = matrix == YuvMatrix::kBt601 ? 1.772 : 1.8556,
               green_u = matrix == YuvMatrix::kBt601 ? -0.344136 : -0.187324;
  double largest = 0;
  for (int u = 0; u < 256; u += 3) {
    for (int v = 0; v < 256; v += 3) {
      std::vector<uint8_t> luma(256), us(128, static_cast<uint8_t>(u)), vs(128, static_cast<uint8_t>(v));
      for (size_t i = 0; i < 256; ++i) luma[i] = static_cast<uint8_t>(i);
      std::vector<int16_t> rgb(768);
      YuvToPlanes({luma.data(), us.data(), vs.data(), 1, 1}, FactorsOf(matrix, range), 256, rgb.data(),
                  rgb.data() + 256, rgb.data() + 512);
      const double chroma = full ? 1 : 255.0 / 224, pb = (u - 128) * chroma, pr = (v - 128) * chroma;
      for (int y = 0; y < 256; ++y) {
        const double level = full ? y : (y - 16) * 255.0 / 219;
        const double colors[] = {level + red_v * pr, level + green_u * pb + green_v * pr,
                                 level + blue_u * pb};
        for (int c = 0; c < 3; ++c)
          largest = std::max(largest, std::abs(Clamped(colors[c]) - rgb[static_cast<size_t>(256 * c + y)]));
      }
    }
  }
  CHECK(largest < 0.6);
}

TEST_CASE("Conversion of YUV agrees with its plain reference and stays within its buffers") {
  OnEveryTarget([] {
    for (const PixelFormat format : kYuvFormats) {
      for (const int width : {2, 14, 16, 18, 30, 32, 34, 100}) {
        const Frame frame(format, width, 1, static_cast<uint32_t>(width));
        const size_t count = static_cast<size_t>(width);
        Guarded<int16_t> red(count), green(count), blue(count);
        std::vector<int16_t> expected(3 * count);
        const YuvFactors factors = FactorsOf(YuvMatrix::kBt601, YuvRange::kLimited);
        YuvToPlanes(RowOf(frame.view, 0, 0), factors, width, red.data(), green.data(), blue.data());
        reference::YuvToPlanes(RowOf(frame.view, 0, 0), factors, width, expected.data(),
                               expected.data() + count, expected.data() + 2 * count);
        INFO("format " << static_cast<int>(format) << ", " << width << " pixels");
        CHECK(std::equal(red.data(), red.data() + count, expected.begin()));
        CHECK(std::equal(green.data(), green.data() + count, expected.begin() + width));
        CHECK(std::equal(blue.data(), blue.data() + count, expected.begin() + 2 * width));
      }
    }
  });
}

TEST_CASE("The row kernels of frames agree with their plain reference and stay within their buffers") {
  OnEveryTarget([] {
    for (const auto& [source, target] :
         {std::pair{7, 1}, {30, 8}, {17, 5}, {64, 7}, {100, 33}, {100, 42}, {300, 9}}) {
      const LineResize line = {source, target, 0, target, Interpolation::kBicubic};
      Taps taps = MeasureTaps(line);
      std::vector<int32_t> first(static_cast<size_t>(taps.count)), used(first.size()),
          frame_first(first.size());
      std::vector<int32_t> weights(first.size() * static_cast<size_t>(taps.stride));
      taps.first = first.data(), taps.used = used.data(), taps.weights = weights.data();
      ComputeTaps(line, taps);
      FrameTaps frame;
      frame.stride = (taps.widest_of_two + kFrameTapGroup - 1) / kFrameTapGroup * kFrameTapGroup;
      const size_t pairs = (first.size() + 1) / 2;
      std::vector<int16_t> frame_weights(2 * pairs * static_cast<size_t>(frame.stride) + kFrameTapGroup);
      frame.first = frame_first.data(), frame.weights = frame_weights.data();
      REQUIRE(RoundTaps(taps, 0, &frame));
      const int stride = source + frame.stride + 8;
      const auto noise = Noise(static_cast<size_t>(3 * stride), 5);
      Guarded<int16_t> planes(std::vector<int16_t>(noise.begin(), noise.end())),
          out(6 * pairs + kFrameRowPadding);
      std::vector<int16_t> expected(6 * pairs);
      NarrowPlanes(planes.data(), stride, frame, out.data());
      reference::NarrowPlanes(planes.data(), stride, frame, expected.data());
      INFO(source << " to " << target);
      CHECK(std::equal(expected.begin(), expected.end(), out.data()));
    }
    for (const size_t count : {1, 7, 8, 9, 31, 47, 48, 49, 100, 672}) {
      for (const int used : {1, 2, 3}) {
        Guarded<int16_t> rows[3] = {Guarded<int16_t>(count), Guarded<int16_t>(count),
                                    Guarded<int16_t>(count)};
        const auto noise = Noise(3 * count, 3);
        for (size_t i = 0; i < 3 * count; ++i) rows[i % 3][i / 3] = noise[i];
        const int16_t* pointers[] = {rows[0].data(), rows[1].data(), rows[2].data(), rows[0].data()};
        const int16_t weights[] = {-2000, used == 1 ? int16_t{0} : int16_t{19000},
                                   used == 2 ? int16_t{0} : int16_t{-616}, 0};
        Guarded<uint8_t> out(count);
        std::vector<uint8_t> expected(count);
        MixFrameRows(pointers, weights, used, count, out.data());
        reference::MixFrameRows(pointers, weights, used, count, expected.data());
        INFO(count << " samples of " << used << " rows");
        CHECK(CountDifferences({out.data(), count}, expected) == 0);
      }
    }
  });
}

/// Returns the whole frame in RGB.
Image InRgb(const ImageView& view) {
  Image image = std::move(Image::Create(view.width, view.height)).value();
  for (int y = 0; y < view.height; ++y)
    ReadRow(view, 0, y, view.width, RowLayout::kRgb, image.pixels() + ptrdiff_t{3} * y * view.width);
  return image;
}

std::vector<uint8_t> RunOn(Preprocessor* preprocessor, const ImageView& view) {
  std::vector<uint8_t> out(preprocessor->output_bytes());
  const Status status = preprocessor->Run(view, out.data());
  INFO(status.message());
  REQUIRE(status.ok());
  return out;
}

TEST_CASE("A frame gives a model what the same picture in RGB gives it, within one level") {
  OnEveryTarget([] {
    for (const int channels : {3, 1}) {
      for (const Interpolation interpolation : {Interpolation::kBicubic, Interpolation::kBilinear,
                                                Interpolation::kNearest, Interpolation::kLanczos}) {
        Result<Preprocessor> preprocessor = Preprocessor::Create({.height = 64,
                                                                  .width = 64,
                                                                  .channels = channels,
                                                                  .resize_height = 73,
                                                                  .interpolation = interpolation});
        REQUIRE(preprocessor.ok());
        for (const auto& [width, height] : {std::pair{320, 180},
                                            {180, 320},
                                            {74, 101},
                                            {73, 100},
                                            {40, 30},
                                            {2, 2},
                                            {73, 73},
                                            {1001, 90}}) {
          for (const PixelFormat format : kYuvFormats) {
            if (format == PixelFormat::kYuyv8 && width % 2 == 1) continue;
            const Frame frame(format, width, height, static_cast<uint32_t>(width + height));
            const auto found = RunOn(&preprocessor.value(), frame.view);
            const auto expected = RunOn(&preprocessor.value(), InRgb(frame.view).view());
            int largest = 0;
            for (size_t i = 0; i < found.size(); ++i)
              largest = std::max(largest, std::abs(found[i] - expected[i]));
            INFO(width << "x" << height << " format " << static_cast<int>(format) << " interpolation "
                       << static_cast<int>(interpolation) << " channels " << channels);
            CHECK(largest <= 1);
          }
        }
      }
    }
  });
}

TEST_CASE("A flat frame stays flat") {
  Result<Preprocessor> preprocessor = Preprocessor::Create({});
  REQUIRE(preprocessor.ok());
  std::vector<uint8_t> bytes(640 * 480 * 2, 128);
  for (const int level : {16, 17, 100, 234, 235, 255}) {
    for (size_t i = 0; i < bytes.size(); i += 2) bytes[i] = static_cast<uint8_t>(level);
    const auto out = RunOn(&preprocessor.value(), {bytes.data(), 640, 480, 1280, PixelFormat::kYuyv8});
    const int expected = std::min(255, static_cast<int>((level - 16) * 255.0 / 219 + 0.5));
    CHECK(std::count(out.begin(), out.end(), static_cast<uint8_t>(expected)) ==
          static_cast<ptrdiff_t>(out.size()));
  }
}

/// Checks `count` pixels of every row, starting at column `x`.
void CheckRows(const JpegRows& jpeg, const Image& whole, int x, int count) {
  std::vector<uint8_t> row(static_cast<size_t>(count) * 3);
  const RowReader reader = jpeg.reader();
  for (int y = 0; y < whole.height(); ++y) {
    reader.read(reader.picture, x, y, count, RowLayout::kRgb, row.data());
    const uint8_t* expected = whole.view().pixels + y * whole.view().stride_bytes + ptrdiff_t{3} * x;
    REQUIRE(std::equal(row.begin(), row.end(), expected));
  }
}

TEST_CASE("Gives a JPEG's rows as the whole picture has them, whatever came before") {
  JpegRows jpeg;
  for (int round = 0; round < 2; ++round) {
    for (const char* name :
         {"rgb_420.jpg", "progressive.jpg", "rgb_422.jpg", "gray.jpg", "cmyk.jpg", "tiny_1x1.jpg"}) {
      std::vector<uint8_t> bytes = ReadFile(ImageFixtures() / "decode" / name);
      const Image whole = std::move(Image::Decode(bytes, {.apply_orientation = false})).value();
      const int width = whole.width();
      REQUIRE(jpeg.Decode(bytes).ok());
      REQUIRE(jpeg.width() == width);
      REQUIRE(jpeg.height() == whole.height());
      CheckRows(jpeg, whole, 0, width);
      for (int x = 0; x < width; x += 1 + width / 7) {
        CheckRows(jpeg, whole, x, 1);
        CheckRows(jpeg, whole, x, std::min(3, width - x));
        CheckRows(jpeg, whole, x, width - x);
      }
      bytes.resize(bytes.size() / 2);
      CHECK_FALSE(jpeg.Decode(bytes).ok());
    }
  }
}

TEST_CASE("Makes the same input of a JPEG and of its picture") {
  const std::vector<uint8_t> bytes = ReadFile(ImageFixtures() / "decode" / "rgb_420.jpg");
  const Image whole = std::move(Image::Decode(bytes, {.apply_orientation = false})).value();
  JpegRows jpeg;
  REQUIRE(jpeg.Decode(bytes).ok());
  for (const int channels : {1, 3}) {
    for (const int side : {16, 24, 224}) {  // reduced, about the same size, enlarged
      Preprocessor preprocessor =
          std::move(Preprocessor::Create(
                        {.height = side, .width = side, .channels = channels, .resize_height = side}))
              .value();
      const std::vector<uint8_t> expected = RunOn(&preprocessor, whole.view());
      std::vector<uint8_t> found(preprocessor.output_bytes());
      REQUIRE(preprocessor.Run(jpeg.reader(), jpeg.width(), jpeg.height(), found.data()).ok());
      CHECK(CountDifferences(found, expected) == 0);
    }
  }
}

TEST_CASE("Refuses a frame whose planes are not right") {
  const std::vector<uint8_t> pixels(400);
  const auto refusal = [](const ImageView& view) { return std::string(CheckView(view).message()); };
  const uint8_t* at = pixels.data();
  CHECK(refusal({at, 5, 4, 10, PixelFormat::kYuyv8}) ==
        "image in YUYV is 5 pixels wide, expected an even number");
  CHECK(refusal({at, 6, 4, 11, PixelFormat::kYuyv8}) ==
        "image has a stride of 11 bytes, but its rows have 12");
  CHECK(refusal({at, 6, 4, 6, PixelFormat::kNv12}) == "image has no colour: the pointer to a plane is null");
  CHECK(refusal({at, 6, 4, 6, PixelFormat::kI420, {at, nullptr}, 3}) ==
        "image has no colour: the pointer to a plane is null");
  CHECK(refusal({at, 7, 4, 7, PixelFormat::kNv12, {at, at}, 7}) ==
        "image has a stride of 7 bytes, but its rows of colour have 8");
  CHECK(CheckView({at, 7, 4, 7, PixelFormat::kI420, {at, at}, 4}).ok());
}

}  // namespace
}  // namespace vitrine
