// SPDX-License-Identifier: Apache-2.0
// Distribution: the histogram of a matrix and its channels with the largest values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace vitrine {

/// A channel is a column of activations or a row of weights.
struct Distribution {
  static constexpr size_t kBins = 61, kOutliers = 5;

  struct Channel {
    int index;
    float largest;  ///< magnitude
  };

  float reach = 0;                ///< the largest magnitude
  std::vector<uint32_t> counts;   ///< kBins equal parts of [-reach, reach]
  std::vector<Channel> outliers;  ///< the channels with the largest magnitudes, largest first
  float median_channel = 0;       ///< the largest magnitude of the median channel
};

enum class ChannelIs { kColumn, kRow };

/// Returns the distribution of values [rows, columns].
Distribution DistributionOf(std::span<const float> values, size_t columns, ChannelIs channel);

/// Returns the distribution of the weights of each of these operators (indices) of a model file, in f32. Without counts
/// for an operator without weights and for 4-bit weights. Throws Error when the file cannot be read.
std::vector<Distribution> WeightsOf(const std::filesystem::path& model, const std::vector<int>& operators);

}  // namespace vitrine
