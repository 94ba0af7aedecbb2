// SPDX-License-Identifier: Apache-2.0
#include "pages/pages.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {
namespace {

constexpr int kWidth = 19, kHeight = 7;

/// A gradient: JPEG changes it little.
std::vector<uint8_t> Gradient() {
  std::vector<uint8_t> rgb;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      for (const int value : {10 * x, 20 * y, 128}) rgb.push_back(static_cast<uint8_t>(value));
    }
  }
  return rgb;
}

/// Returns the largest difference between a file's pixels and the gradient.
int DifferenceOf(const std::string& file) {
  const Result<Image> image = Image::Decode({reinterpret_cast<const uint8_t*>(file.data()), file.size()});
  REQUIRE(image.ok());
  REQUIRE(image.value().width() == kWidth);
  REQUIRE(image.value().height() == kHeight);
  const ImageView view = image.value().view();
  REQUIRE(view.format == PixelFormat::kRgb8);
  const std::vector<uint8_t> expected = Gradient();
  int most = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int i = 0; i < 3 * kWidth; ++i) {
      const int found = view.pixels[y * view.stride_bytes + i];
      most = std::max(most, std::abs(found - expected[static_cast<size_t>(y * 3 * kWidth + i)]));
    }
  }
  return most;
}

TEST_CASE("A PNG has the same pixels, a JPEG nearly the same") {
  CHECK(DifferenceOf(EncodePng(Gradient(), kWidth, kHeight)) == 0);
  CHECK(DifferenceOf(EncodeJpeg(Gradient(), kWidth, kHeight, 95)) < 16);
}

TEST_CASE("Base64 gives the examples of RFC 4648") {
  CHECK(Base64("").empty());
  CHECK(Base64("f") == "Zg==");
  CHECK(Base64("fo") == "Zm8=");
  CHECK(Base64("foo") == "Zm9v");
  CHECK(Base64("foobar") == "Zm9vYmFy");
  CHECK(Base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("A data URI holds a PNG") {
  CHECK(PngUri(Gradient(), kWidth, kHeight).starts_with("data:image/png;base64,iVBORw0KGgo"));
}

}  // namespace
}  // namespace vitrine
