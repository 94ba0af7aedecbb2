// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/observe.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "converter/calibrate/layer_trial.h"

namespace vitrine {
namespace {

/// A triangle from -1 to 1, and one outlier.
std::vector<float> WithOutlier() {
  std::vector<float> values;
  for (int i = 0; i < 20'000; ++i) {
    const float u = static_cast<float>(i * 7919 % 20'000) / 10'000 - 1;
    values.push_back(u * std::fabs(u));
  }
  values.push_back(100);
  return values;
}

double High(const TensorPlan& tensor) { return double{tensor.scale} * (127 - tensor.zero_point); }

TEST_CASE("A static tensor holds its range and zero") {
  const TensorPlan tensor = StaticTensor({-1, 3});
  CHECK(tensor.type == schema::Type::QS8);
  CHECK(ThroughInt8(tensor, 0) == 0);
  CHECK(std::fabs(ThroughInt8(tensor, 3) - 3) <= tensor.scale / 2);
  CHECK(std::fabs(ThroughInt8(tensor, -1) + 1) <= tensor.scale / 2);
  CHECK(ThroughInt8(tensor, 7) < 3.1f);
}

TEST_CASE("A tensor of zeros has a scale above zero") {
  const TensorPlan tensor = StaticTensor({0, 0});
  CHECK(tensor.scale > 0);
  CHECK(ThroughInt8(tensor, 0) == 0);
}

TEST_CASE("Observers differ in what they do with an outlier") {
  const std::vector<float> values = WithOutlier();
  const ValueRange range = {-1, 100};
  CHECK(High(Observe(RangeObserver::kMinMax, values, range)) > 99);
  CHECK(High(Observe(RangeObserver::kPercentile, values, range)) < 2);
  const Histogram histogram(values, range);
  const double least = histogram.Loss(StaticTensor(histogram.LeastLoss()));
  CHECK(least <= histogram.Loss(StaticTensor(range)));
  CHECK(least <= histogram.Loss(StaticTensor(histogram.Percentile(1e-4))));
}

TEST_CASE("A range ends where the function behind it is flat") {
  std::vector<float> values;
  for (int i = -1000; i <= 1000; ++i) values.push_back(static_cast<float>(i) / 100);
  const Histogram histogram(values, {-10, 10});
  const ValueRange range = histogram.LeastLoss([](double x) { return x < 0 ? 0 : x; });
  CHECK(range.low > -0.5f);
  CHECK(range.high > 9.5f);
}

TEST_CASE("Samples are spread over all rows, and ranges are of all of them") {
  constexpr size_t kRows = 100, kImages = 20, kMost = 200;
  RowSamples samples(2, kRows, kImages, kMost), again(2, kRows, kImages, kMost);
  for (size_t image = 0; image < kImages; ++image) {
    std::vector<float> rows;
    for (size_t r = 0; r < kRows; ++r)
      rows.insert(rows.end(), {static_cast<float>(r), -static_cast<float>(image)});
    samples.Add(image, rows);
    again.Add(image, rows);
  }
  CHECK(samples.ranges()[0].high == 99);
  CHECK(samples.ranges()[1].low == -19);
  const MatrixView view = samples.rows();
  CHECK(view.rows > kMost * 9 / 10);
  CHECK(view.rows < kMost * 11 / 10);
  REQUIRE(again.rows().rows == view.rows);
  CHECK(std::equal(view.data, view.data + view.rows * 2, again.rows().data));
  double mean = 0;
  for (size_t r = 0; r < view.rows; ++r) mean += double{view.data[2 * r]} / static_cast<double>(view.rows);
  CHECK(std::fabs(mean - 49.5) < 3);
}

TEST_CASE("Smoothing takes an outlying column out of the activations' way") {
  constexpr size_t kColumns = 32, kOutputs = 8;
  RowSamples samples(kColumns, 64, 1, 64);
  std::vector<float> rows, weight;
  for (size_t i = 0; i < 64 * kColumns; ++i) {
    const float value = static_cast<float>(i * 2654435761u % 1999) / 1000 - 1;
    rows.push_back(i % kColumns == 5 ? 100 * value : value);
  }
  for (size_t i = 0; i < kOutputs * kColumns; ++i)
    weight.push_back(static_cast<float>(i * 40503u % 997) / 500 - 1);
  samples.Add(0, rows);
  LayerTrial trial(samples, weight, 1);
  const double before = trial.Loss(trial.Observe(RangeObserver::kMinMax));
  const std::vector<float> factors = trial.SmoothingFactors(0.7f);
  CHECK(factors[5] > 5 * factors[6]);
  trial.Smooth(factors);
  CHECK(trial.Loss(trial.Observe(RangeObserver::kMinMax)) < before / 5);
  trial.Smooth({});
  CHECK(trial.Loss(trial.Observe(RangeObserver::kMinMax)) == before);
  CHECK(trial.Loss({schema::Type::QD8}) <= before);
}

}  // namespace
}  // namespace vitrine
