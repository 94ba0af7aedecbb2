// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/activation_rows.h"

#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

constexpr Activation kAll[] = {Activation::kIdentity,  Activation::kGeluErf, Activation::kGeluTanh,
                               Activation::kQuickGelu, Activation::kSilu,    Activation::kRelu,
                               Activation::kTanh};

/// Returns the largest error: for f32 relative to u = max(1/2, |x|), for int8 in steps after subtracting
/// 2e-6 u.
double Error(const std::vector<float>& values, size_t rows, size_t M, Activation activation, bool gated,
             RowType type, RowQuantization fixed = {3, 0.03f}) {
  const size_t columns = gated ? 2 * M : M;
  Guarded<float> x(values);
  std::vector<char> scratch(RowScratchBytes(M));
  WatchedRows actual(type, rows, M, fixed), expected(RowType::kF32, rows, M);
  ActivationRowsArguments a = {x.data(), columns, M, activation, gated, actual.rows()};
  ActivationRows(a, 0, rows, scratch.data());
  a.out = expected.rows();
  ActivationRowsReference(a, 0, rows, scratch.data());
  double worst = 0;
  for (size_t row = 0; row < rows; ++row) {
    const RowQuantization q = actual.QuantizationOf(row);
    for (size_t i = 0; i < M; ++i) {
      double e = expected.At(row, i);
      if (type == RowType::kQs8) {
        e = std::clamp(e, double{-128.f - q.zero_point} * q.scale, double{127.f - q.zero_point} * q.scale);
      }
      const double error = std::abs(actual.At(row, i) - e);
      const double gate = gated ? std::abs(x[row * columns + M + i]) + 1 : 1;
      const double unit = gate * std::max(0.5, std::abs(double{x[row * columns + i]}));
      worst =
          std::max(worst, type == RowType::kF32 ? error / unit : (error - 2e-6 * unit) / actual.Step(row));
    }
  }
  return worst;
}

TEST_CASE("Activations agree with the reference for any length") {
  OnEveryTarget([] {
    Generator generator(1);
    for (const Activation activation : kAll) {
      for (size_t M = 1; M < 140; M += M < 40 ? 1 : 11) {
        for (const bool gated : {false, true}) {
          const std::vector<float> x = Normal(generator, 2 * M * (gated ? 2 : 1), 2);
          INFO("activation " << static_cast<int>(activation) << " M " << M);
          REQUIRE(Error(x, 2, M, activation, gated, RowType::kF32) < 2e-6);
          REQUIRE(Error(x, 2, M, activation, gated, RowType::kQs8) < 0.52);
          REQUIRE(Error(x, 2, M, activation, gated, RowType::kQd8) < 0.56);
        }
      }
    }
  });
}

TEST_CASE("Activations agree with the reference for values of any size") {
  OnEveryTarget([] {
    std::vector<float> x;
    for (float v = -30; v < 30; v += 0.003f) x.push_back(v);
    for (const float v : {0.0f, -0.0f, 1e-30f, -1e-42f, 1e5f, -1e5f, 1e15f, -1e15f, 3e38f, -3e38f}) {
      x.push_back(v);
    }
    for (const Activation activation : kAll) {
      INFO("activation " << static_cast<int>(activation));
      CHECK(Error(x, 1, x.size(), activation, false, RowType::kF32) < 2e-6);
    }
  });
}

TEST_CASE("Activations quantize rows of any range within 0.56 steps") {
  OnEveryTarget([] {
    Generator generator(2);
    for (const Activation activation : kAll) {
      for (const float deviation : {0.001f, 0.01f, 0.1f, 0.3f, 1.0f, 3.0f, 8.0f, 30.0f, 1e4f}) {
        for (const float mean : {0.0f, -1.0f, 1.0f, -8.0f}) {
          const std::vector<float> x = Normal(generator, 400, deviation, mean * deviation);
          INFO("activation " << static_cast<int>(activation) << " deviation " << deviation << " mean "
                             << mean);
          CHECK(Error(x, 1, 400, activation, false, RowType::kQd8) < 0.56);
        }
      }
    }
  });
}

TEST_CASE("Activations accept NaN and infinity") {
  OnEveryTarget([] {
    for (const Activation activation : kAll) {
      for (const float bad : {NAN, INFINITY, -INFINITY}) {
        std::vector<float> x(100, bad), scratch(112);
        x[3] = 1;
        for (const RowType type : {RowType::kF32, RowType::kQd8, RowType::kQs8}) {
          WatchedRows out(type, 1, 100);
          ActivationRows({x.data(), 100, 100, activation, false, out.rows()}, 0, 1, scratch.data());
        }
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
