// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/decode/jpeg.h"

#include "tests/runtime/image/image_test.h"
#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine {
namespace {

using kernels::Guarded;
using kernels::OnEveryTarget;

TEST_CASE("The inverse transform agrees with its plain reference, for coefficients of any size") {
  OnEveryTarget([] {
    for (uint32_t seed = 1; seed <= 300; ++seed) {
      const auto noise = Noise(192, seed);
      Guarded<int16_t> coefficients(64);
      for (size_t i = 0; i < 64; ++i) {
        const int value = static_cast<int16_t>(noise[2 * i] << 8 | noise[2 * i + 1]);
        const bool is_kept = noise[128 + i] % 64 >= i;  // mostly the low frequencies, as in photos
        coefficients[i] = static_cast<int16_t>(is_kept ? value >> (seed % 12) : 0);
      }
      Guarded<uint8_t> out(7 * 11 + 8);
      std::vector<uint8_t> expected(out.size());
      std::fill_n(out.data(), out.size(), uint8_t{0});
      InverseTransform(out.data(), 11, coefficients.data());
      reference::InverseTransform(expected.data(), 11, coefficients.data());
      REQUIRE(CountDifferences({out.data(), out.size()}, expected) == 0);
    }
  });
}

TEST_CASE("Upsampling and colour agree with their plain reference and stay within their buffers") {
  OnEveryTarget([] {
    for (const size_t width : {3, 4, 9, 10, 11, 17, 18, 19, 26, 100}) {
      Guarded<uint8_t> a(Noise(width, 1)), b(Noise(width, 2)), c(Noise(width, 3)), wide(2 * width),
          rgb(3 * width);
      std::vector<uint8_t> expected(2 * width);
      const int count = static_cast<int>(width);
      INFO(width << " samples");
      WidenRow(a.data(), count, wide.data());
      reference::WidenRow(a.data(), count, expected.data());
      CHECK(CountDifferences({wide.data(), wide.size()}, expected) == 0);
      WidenRowPair(a.data(), b.data(), count, wide.data());
      reference::WidenRowPair(a.data(), b.data(), count, expected.data());
      CHECK(CountDifferences({wide.data(), wide.size()}, expected) == 0);
      expected.resize(3 * width);
      YccToRgb(a.data(), b.data(), c.data(), count, rgb.data());
      reference::YccToRgb(a.data(), b.data(), c.data(), count, expected.data());
      CHECK(CountDifferences({rgb.data(), rgb.size()}, expected) == 0);
    }
  });
}

TEST_CASE("Every combination of luma and chroma has the same colour as in the plain reference") {
  std::vector<uint8_t> y(256), cb(256), cr(256), rgb(3 * 256), expected(3 * 256);
  for (size_t i = 0; i < 256; ++i) y[i] = static_cast<uint8_t>(i);
  size_t differences = 0;
  for (int blue = 0; blue < 256; blue += 3) {
    for (int red = 0; red < 256; red += 3) {
      std::fill(cb.begin(), cb.end(), static_cast<uint8_t>(blue));
      std::fill(cr.begin(), cr.end(), static_cast<uint8_t>(red));
      YccToRgb(y.data(), cb.data(), cr.data(), 256, rgb.data());
      reference::YccToRgb(y.data(), cb.data(), cr.data(), 256, expected.data());
      differences += CountDifferences(rgb, expected);
    }
  }
  CHECK(differences == 0);
}

}  // namespace
}  // namespace vitrine
