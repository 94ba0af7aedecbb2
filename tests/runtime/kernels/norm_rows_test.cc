// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/norm_rows.h"

#include <limits>

#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

struct Case {
  size_t rows, D;
  bool with_delta, with_gamma, with_beta;
  RowType type;
};

/// Returns for f32 rows the signal to noise ratio in dB, and for quantized rows 1000 minus the error beyond
/// rounding.
double Fidelity(const Case& c, const std::vector<float>& values, Generator& generator) {
  Guarded<float> x(values), x_copy(values), delta(Normal(generator, values.size(), 0.1f));
  Guarded<float> gamma(Normal(generator, c.D, 1)), beta(Normal(generator, c.D, 1));
  std::vector<char> scratch(RowScratchBytes(c.D));
  WatchedRows actual(c.type, c.rows, c.D), expected(c.type, c.rows, c.D);
  NormRowsArguments a = {x.data(), c.D, c.with_delta ? delta.data() : nullptr, c.D, c.D, 1e-6f,
                         c.with_gamma ? gamma.data() : nullptr, c.with_beta ? beta.data() : nullptr, actual.rows()};
  NormRows(a, 0, c.rows, scratch.data());
  a.x = x_copy.data(), a.out = expected.rows();
  NormRowsReference(a, 0, c.rows, scratch.data());
  for (size_t i = 0; i < values.size(); ++i) REQUIRE(std::abs(x[i] - x_copy[i]) <= std::numeric_limits<float>::min());
  if (c.type != RowType::kF32) return 1000 - ErrorBeyondRounding(actual, expected, c.rows, c.D);
  double signal = 1e-300, noise = 1e-300;
  for (size_t row = 0; row < c.rows; ++row) {
    for (size_t i = 0; i < c.D; ++i) {
      const double e = expected.At(row, i), d = actual.At(row, i) - e;
      signal += e * e, noise += d * d;
    }
  }
  return 10 * std::log10(signal / noise);
}

TEST_CASE("LayerNorm agrees with the reference for any length") {
  OnEveryTarget([] {
    Generator generator(1);
    for (size_t D = 2; D < 150; D += D < 70 ? 1 : 7) {
      for (int options = 0; options < 8; ++options) {
        Case c = {2, D, (options & 1) != 0, (options & 2) != 0, (options & 4) != 0, RowType::kF32};
        INFO("D " << D << " options " << options);
        REQUIRE(Fidelity(c, Normal(generator, 2 * D, 1.5f, 0.2f), generator) > 110);
        c.type = RowType::kQd8;
        REQUIRE(Fidelity(c, Normal(generator, 2 * D, 1.5f, 0.2f), generator) > 1000 - 1e-5);
        c.type = RowType::kQs8;
        REQUIRE(Fidelity(c, Normal(generator, 2 * D, 1.5f, 0.2f), generator) > 1000 - 1e-5);
      }
    }
  });
}

TEST_CASE("LayerNorm keeps 95 dB where the mean is a hundred times the deviation") {
  OnEveryTarget([] {
    Generator generator(2);
    for (const size_t D : {37, 384, 768, 1024}) {
      const Case c = {4, D, false, false, false, RowType::kF32};
      CHECK(Fidelity(c, Normal(generator, 4 * D, 1, 100), generator) > 95);
      CHECK(Fidelity(c, Normal(generator, 4 * D, 1, 1.9f), generator) > 115);
      CHECK(Fidelity(c, Normal(generator, 4 * D, 1e-4f, -0.01f), generator) > 95);
    }
  });
}

TEST_CASE("LayerNorm is precise in rows with an outlier channel") {
  OnEveryTarget([] {
    Generator generator(3);
    std::vector<float> x = Normal(generator, 384, 1);
    for (const size_t channel : {0, 5, 383}) {
      x[channel] = 300;
      CHECK(Fidelity({1, 384, true, false, false, RowType::kF32}, x, generator) > 110);
      CHECK(Fidelity({1, 384, true, false, false, RowType::kQd8}, x, generator) > 1000 - 1e-5);
      CHECK(Fidelity({1, 384, true, true, true, RowType::kQd8}, x, generator) > 1000 - 1e-4);
    }
  });
}

TEST_CASE("LayerNorm gives finite scales and values for awkward rows") {
  OnEveryTarget([] {
    Generator generator(4);
    for (const size_t D : {1, 5, 384}) {
      for (std::vector<float> row : AwkwardRows(generator, D)) {
        std::vector<char> scratch(RowScratchBytes(D));
        for (const RowType type : {RowType::kF32, RowType::kQd8, RowType::kQs8}) {
          WatchedRows out(type, 1, D);
          NormRows({row.data(), D, nullptr, 0, D, 1e-6f, nullptr, nullptr, out.rows()}, 0, 1, scratch.data());
          for (size_t i = 0; i < D; ++i) REQUIRE(std::abs(out.At(0, i)) < 1e3f);
        }
      }
    }
  });
}

TEST_CASE("LayerNorm accepts NaN, infinity and huge values") {
  OnEveryTarget([] {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
      std::vector<float> row(100, bad), scratch(200);
      row[3] = 1;
      for (const RowType type : {RowType::kF32, RowType::kQd8, RowType::kQs8}) {
        WatchedRows out(type, 1, 100);
        NormRows({row.data(), 100, row.data(), 100, 100, 1e-6f, nullptr, nullptr, out.rows()}, 0, 1, scratch.data());
      }
    }
  });
}

TEST_CASE("LayerNorm computes each row alone") {
  OnEveryTarget([] {
    Generator generator(5);
    std::vector<float> x = Normal(generator, 10 * 50, 1), scratch(64);
    WatchedRows whole(RowType::kQd8, 10, 50), parts(RowType::kQd8, 10, 50);
    NormRowsArguments a = {x.data(), 50, nullptr, 0, 50, 1e-6f, nullptr, nullptr, whole.rows()};
    NormRows(a, 0, 10, scratch.data());
    a.out = parts.rows();
    NormRows(a, 7, 10, scratch.data());
    NormRows(a, 0, 7, scratch.data());
    for (size_t row = 0; row < 10; ++row) {
      for (size_t i = 0; i < 50; ++i) REQUIRE(whole.ByteAt(row, i) == parts.ByteAt(row, i));
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
