// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/matrix.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

namespace vitrine {
namespace {

std::vector<float> Normal(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

TEST_CASE("A product of matrices is a plain sum, whatever their sizes") {
  for (const size_t k : {1, 3, 64, 200}) {
    for (const size_t m : {1, 5, 6, 13}) {
      for (const size_t n : {1, 31, 32, 33, 130}) {
        const std::vector<float> a = Normal(m * (k + 2), 1), b = Normal(n * (k + 1), 2);
        std::vector<float> out(m * (n + 3), 99.0f);
        MultiplyTransposed({a.data(), m, k, k + 2}, {b.data(), n, k, k + 1}, out.data(), n + 3, 1);
        double worst = 0;
        for (size_t r = 0; r < m; ++r) {
          for (size_t c = 0; c < n; ++c) {
            double sum = 0;
            for (size_t i = 0; i < k; ++i) sum += double{a[r * (k + 2) + i]} * double{b[c * (k + 1) + i]};
            worst = std::max(worst, std::fabs(sum - double{out[r * (n + 3) + c]}));
          }
          CHECK(out[r * (n + 3) + n] == 99.0f);
        }
        CHECK(worst < 1e-4);
      }
    }
  }
}

TEST_CASE("The number of threads does not change a product") {
  const size_t m = 200, k = 300, n = 250;
  const std::vector<float> a = Normal(m * k, 1), b = Normal(n * k, 2);
  std::vector<float> one(m * n), three(m * n);
  MultiplyTransposed({a.data(), m, k, k}, {b.data(), n, k, k}, one.data(), n, 1);
  MultiplyTransposed({a.data(), m, k, k}, {b.data(), n, k, k}, three.data(), n, 3);
  CHECK(one == three);
}

TEST_CASE("The inverse's factor times itself is the inverse") {
  for (const size_t n : {1, 2, 63, 64, 65, 150}) {
    const std::vector<float> x = Normal(2 * n * n, 3);
    std::vector<float> gram = Gram({x.data(), 2 * n, n, n}, 1);
    for (size_t i = 0; i < n; ++i) gram[i * n + i] += 1.0f;
    std::vector<float> factor = gram;
    REQUIRE(InverseCholesky(factor, n, 1));
    double worst = 0;
    // (U^T U) gram = 1, as U gram = (U^T)^-1, a lower triangle whose product with U^T is one.
    for (size_t r = 0; r < n; ++r) {
      for (size_t c = 0; c < n; ++c) {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) {
          double inverse = 0;
          for (size_t j = 0; j <= std::min(r, i); ++j)
            inverse += double{factor[j * n + r]} * double{factor[j * n + i]};
          sum += inverse * double{gram[i * n + c]};
        }
        worst = std::max(worst, std::fabs(sum - (r == c ? 1.0 : 0.0)));
      }
    }
    CHECK(worst < 1e-3);
  }
}

TEST_CASE("A matrix that is not positive has no factor") {
  std::vector<float> matrix = {1, 2, 2, 1};
  CHECK_FALSE(InverseCholesky(matrix, 2, 1));
}

}  // namespace
}  // namespace vitrine
