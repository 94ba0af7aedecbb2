// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/row_kernels.h"
#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

TEST_CASE("Softmax agrees with the reference for any length") {
  OnEveryTarget([] {
    Generator generator(1);
    for (size_t n = 1; n < 100; ++n) {
      for (const float deviation : {0.0f, 1.0f, 10.0f, 1e4f}) {
        Guarded<float> x(Normal(generator, n, deviation, -50)), actual(n);
        std::vector<float> expected(n);
        SoftmaxRow(x.data(), n, actual.data());
        SoftmaxRowReference(x.data(), n, expected.data());
        for (size_t i = 0; i < n; ++i) REQUIRE(std::abs(actual[i] - expected[i]) <= 2e-6f * expected[i] + 1e-12f);
        SoftmaxRow(x.data(), n, x.data());
        for (size_t i = 0; i < n; ++i) REQUIRE(x[i] == actual[i]);
      }
    }
  });
}

TEST_CASE("The mean of rows agrees with the reference") {
  OnEveryTarget([] {
    Generator generator(2);
    for (const size_t D : {1, 5, 16, 37, 64}) {
      for (const size_t T : {1, 2, 17, 257}) {
        Guarded<float> x(Normal(generator, T * D, 1, 10)), sizes(T), actual(D);
        for (size_t t = 0; t < T; ++t) sizes[t] = static_cast<float>(Uniform(generator, 1, 20));
        std::vector<float> expected(D);
        for (const size_t first : {size_t{0}, T - 1}) {
          for (const float* weights : {static_cast<const float*>(nullptr), static_cast<const float*>(sizes.data())}) {
            MeanRows(x.data(), D, weights, D, first, T, actual.data());
            MeanRowsReference(x.data(), D, weights, D, first, T, expected.data());
            for (size_t i = 0; i < D; ++i) REQUIRE(std::abs(actual[i] - expected[i]) < 1e-5f);
          }
        }
      }
    }
  });
}

TEST_CASE("Rotary positions agree with the reference") {
  OnEveryTarget([] {
    Generator generator(4);
    for (const size_t K : {2, 4, 6, 12, 20, 32, 64, 80}) {
      for (const size_t H : {1, 3}) {
        constexpr size_t T = 5;
        const size_t stride = H * K + 3;
        RotateRowsArguments a{nullptr, stride, nullptr, H, K};
        Guarded<float> table(T * K), actual(Normal(generator, (T - 1) * stride + H * K, 1));
        for (size_t i = 0; i < T * K; ++i) {
          const float angle = static_cast<float>(i / K * 7 + i % K % (K / 2));
          table[i] = i % K < K / 2 ? std::cos(angle) : std::sin(angle);
        }
        std::vector<float> expected(actual.data(), actual.data() + actual.size()), before = expected;
        a.table = table.data();
        a.x = actual.data();
        RotateRows(a, 1, 2);
        RotateRows(a, 2, T);
        a.x = expected.data();
        RotateRowsReference(a, 1, T);
        for (size_t i = 0; i < stride; ++i) REQUIRE(actual[i] == before[i]);
        for (size_t i = 0; i < actual.size(); ++i) REQUIRE(std::abs(actual[i] - expected[i]) < 1e-6f);
      }
    }
  });
}

TEST_CASE("Patches hold their pixels exactly") {
  OnEveryTarget([] {
    Generator generator(3);
    for (int i = 0; i < 30; ++i) {
      PixelsToRowsArguments a;
      a.patch_height = Uniform(generator, 1, 16), a.patch_width = Uniform(generator, 1, 20);
      a.image_height = Uniform(generator, a.patch_height, 50), a.image_width = Uniform(generator, a.patch_width, 70);
      a.channels = Uniform(generator, 1, 4), a.zero_point = static_cast<int>(Uniform(generator, 0, 255)) - 128;
      Guarded<uint8_t> pixels(a.image_height * a.image_width * a.channels);
      for (size_t p = 0; p < pixels.size(); ++p) pixels[p] = static_cast<uint8_t>(generator());
      a.pixels = pixels.data();
      const size_t rows = PatchCount(a), columns = a.patch_height * a.patch_width * a.channels;
      for (const RowType type : {RowType::kF32, RowType::kQd8}) {
        WatchedRows actual(type, rows, columns), expected(type, rows, columns);
        a.out = actual.rows();
        PixelsToRows(a, 0, rows / 2);
        PixelsToRows(a, rows / 2, rows);
        a.out = expected.rows();
        PixelsToRowsReference(a, 0, rows);
        for (size_t row = 0; row < rows; ++row) {
          for (size_t c = 0; c < columns; ++c) REQUIRE(actual.At(row, c) == expected.At(row, c));
          if (type == RowType::kQd8) REQUIRE(actual.QuantizationOf(row).zero_point == a.zero_point);
        }
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
