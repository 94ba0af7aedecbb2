// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/distribution.h"

#include <algorithm>
#include <cmath>

#include "converter/error.h"
#include "runtime/base/mapped_file.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

std::vector<Distribution::Channel> Reaches(std::span<const float> values, size_t columns, ChannelIs channel) {
  const size_t rows = values.size() / columns;
  std::vector<Distribution::Channel> channels(channel == ChannelIs::kRow ? rows : columns);
  for (size_t i = 0; i < channels.size(); ++i) channels[i] = {static_cast<int>(i), 0};
  for (size_t i = 0; i < values.size(); ++i) {
    float& largest = channels[channel == ChannelIs::kRow ? i / columns : i % columns].largest;
    largest = std::max(largest, std::abs(values[i]));
  }
  std::stable_sort(channels.begin(), channels.end(),
                   [](const auto& a, const auto& b) { return a.largest > b.largest; });
  return channels;
}

/// Returns the distribution of an operator's weights in f32.
Distribution WeightsOf(const Program& program, int operator_index) {
  const schema::Linear* linear = program.op(operator_index).kind_as_Linear();
  if (linear == nullptr) return {};
  const ConstantInfo weight = program.constant(linear->weight());
  const size_t count = weight.rows * weight.columns;
  if (weight.type == schema::Type::F32)
    return DistributionOf({weight.f32(), count}, weight.columns, ChannelIs::kRow);
  if (weight.type != schema::Type::QC8W) return {};
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = weight.int8()[i] * weight.scales()[i / weight.columns];
  return DistributionOf(values, weight.columns, ChannelIs::kRow);
}

}  // namespace

Distribution DistributionOf(std::span<const float> values, size_t columns, ChannelIs channel) {
  Distribution distribution;
  distribution.counts.resize(Distribution::kBins);
  if (values.empty()) return distribution;
  distribution.outliers = Reaches(values, columns, channel);
  distribution.reach = distribution.outliers.front().largest;
  distribution.median_channel = distribution.outliers[distribution.outliers.size() / 2].largest;
  distribution.outliers.resize(std::min(distribution.outliers.size(), Distribution::kOutliers));
  const float scale = distribution.reach > 0 ? Distribution::kBins / (2 * distribution.reach) : 0;
  for (const float value : values) {
    const float bin = std::floor((value + distribution.reach) * scale);
    ++distribution.counts[static_cast<size_t>(std::clamp(bin, 0.0f, Distribution::kBins - 1.0f))];
  }
  return distribution;
}

std::vector<Distribution> WeightsOf(const std::filesystem::path& model, const std::vector<int>& operators) {
  const Result<MappedFile> file = MappedFile::Open(model.c_str());
  if (!file.ok()) Fail(file.status().message());
  const Result<Program> program = Program::Verify(file.value().bytes());
  if (!program.ok()) Fail(model.string(), ": ", program.status().message());
  std::vector<Distribution> distributions;
  for (const int op : operators) distributions.push_back(WeightsOf(program.value(), op));
  return distributions;
}

}  // namespace vitrine
