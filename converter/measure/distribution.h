// SPDX-License-Identifier: Apache-2.0
// How the values of a matrix are spread, and which of its channels reach far beyond the others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace vitrine {

struct Distribution {
  static constexpr size_t kBins = 61, kOutliers = 5;

  struct Channel {
    int index;
    float largest;  ///< magnitude
  };

  float reach = 0;                ///< the largest magnitude
  std::vector<uint32_t> counts;   ///< kBins equal parts of [-reach, reach]
  std::vector<Channel> outliers;  ///< the channels that reach furthest, furthest first
  float median_channel = 0;       ///< how far the median channel reaches
};

/// Of values [rows, columns]. A channel is a column of activations, a row of weights.
enum class ChannelIs { kColumn, kRow };
Distribution DistributionOf(std::span<const float> values, size_t columns, ChannelIs channel);

/// Returns the distribution of the weights of each of these operators (indices) of a model file, in f32. Without counts
/// for an operator without weights and for 4-bit weights. Throws Error when the file cannot be read.
std::vector<Distribution> WeightsOf(const std::filesystem::path& model, const std::vector<int>& operators);

}  // namespace vitrine
