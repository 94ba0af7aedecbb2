// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/fold.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace vitrine {
namespace {

/// Returns the bias; creates one of zeros if there is none.
std::vector<float>& EnsureBias(LinearWeights* linear) {
  if (linear->bias.empty()) linear->bias.resize(linear->outputs);
  return linear->bias;
}

std::span<float> Row(LinearWeights* linear, int output) {
  return std::span(linear->weight).subspan(static_cast<size_t>(output) * linear->inputs, linear->inputs);
}

/// Four independent sums: in one chain, each addition would wait for the last one. This runs over 86 million
/// weights.
double Dot(std::span<const float> a, const float* b) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (int lane = 0; lane < 4; ++lane) sums[lane] += static_cast<double>(a[i + lane]) * b[i + lane];
  }
  for (; i < a.size(); ++i) sums[0] += static_cast<double>(a[i]) * b[i];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

/// bias += weight * input, for an input that is the same for every token.
void FoldConstantInput(LinearWeights* linear, const float* input) {
  std::vector<float>& bias = EnsureBias(linear);
  for (int o = 0; o < linear->outputs; ++o) {
    bias[o] = static_cast<float>(bias[o] + Dot(Row(linear, o), input));
  }
}

void ScaleRows(LinearWeights* linear, int first, int count, double factor) {
  for (int o = first; o < first + count; ++o) {
    for (float& weight : Row(linear, o)) weight = static_cast<float>(weight * factor);
    if (!linear->bias.empty()) linear->bias[o] = static_cast<float>(linear->bias[o] * factor);
  }
}

void ScaleColumns(LinearWeights* linear, std::span<const float> factors) {
  for (int o = 0; o < linear->outputs; ++o) {
    const std::span<float> row = Row(linear, o);
    for (size_t i = 0; i < row.size(); ++i) row[i] *= factors[i];
  }
}

void FoldLayerScale(std::vector<float>* scale, LinearWeights* linear) {
  if (scale->empty()) return;
  for (int o = 0; o < linear->outputs; ++o) ScaleRows(linear, o, 1, (*scale)[o]);
  scale->clear();
}

/// Moves the bias of the value rows, which begin at `first`, into the projection: the weights of a softmax
/// sum to one.
void FoldValueBias(LinearWeights* linear, int first, LinearWeights* projection) {
  if (linear->bias.empty()) return;
  FoldConstantInput(projection, &linear->bias[first]);
  std::fill_n(linear->bias.begin() + first, projection->inputs, 0.0f);
}

void DropBiasOfZeros(LinearWeights* linear) {
  const auto is_zero = [](float value) { return value == 0; };
  if (std::all_of(linear->bias.begin(), linear->bias.end(), is_zero)) linear->bias.clear();
}

void FoldAttentionScale(Block* block, const VitConfig& config) {
  if (!block->query_norm.present()) {
    ScaleRows(&block->qkv, 0, config.heads * config.head_size, config.attention_scale);
    return;
  }
  for (std::vector<float>* affine : {&block->query_norm.gamma, &block->query_norm.beta}) {
    for (float& value : *affine) value = static_cast<float>(value * config.attention_scale);
  }
}

}  // namespace

void FoldNorm(Norm* norm, LinearWeights* linear, float share) {
  if (!norm->present()) return;
  if (!norm->beta.empty()) FoldConstantInput(linear, norm->beta.data());
  norm->beta.clear();
  if (norm->gamma.empty() || share == 0) return;
  std::vector<float> factors(norm->gamma.size());
  for (size_t i = 0; i < factors.size(); ++i) {
    const float gamma = norm->gamma[i];
    factors[i] = share == 1 ? gamma : std::copysign(std::pow(std::abs(gamma), share), gamma);
    norm->gamma[i] = std::pow(std::abs(gamma), 1 - share);
  }
  ScaleColumns(linear, factors);
  if (share == 1) {
    norm->gamma.clear();
    norm->plain = true;
  }
}

void FoldBlock(Block* block, const VitConfig& config, float share) {
  const int attention_width = config.heads * config.head_size;
  FoldNorm(&block->norm1, &block->qkv, share);
  FoldAttentionScale(block, config);
  const bool key_bias_counts =
      block->key_norm.present() || config.rotary.present() || config.keys_are_compared;
  if (!block->qkv.bias.empty() && !key_bias_counts) {
    std::fill_n(block->qkv.bias.begin() + attention_width, attention_width, 0.0f);
  }
  if (block->attention_norm.present()) {
    FoldNorm(&block->attention_norm, &block->projection, share);
  } else {
    FoldValueBias(&block->qkv, 2 * attention_width, &block->projection);
  }
  DropBiasOfZeros(&block->qkv);
  FoldLayerScale(&block->scale1, &block->projection);
  FoldNorm(&block->norm2, &block->fc1, share);
  FoldNorm(&block->mlp_norm, &block->fc2, share);
  FoldLayerScale(&block->scale2, &block->fc2);
}

void FoldHead(Head* head, const VitConfig& config) {
  if (config.pooling != Pooling::kAttention) {
    const bool only_pooler = config.pooling == Pooling::kClassToken && !head->pool_norm.present();
    if (head->pooler.present() && only_pooler) FoldNorm(&head->norm, &head->pooler);
    return;
  }
  const int width = config.heads * config.head_size;
  FoldNorm(&head->norm, &head->key_value);
  for (float& value : head->query) value = static_cast<float>(value / std::sqrt(config.head_size));
  if (!head->key_value.bias.empty()) std::fill_n(head->key_value.bias.begin(), width, 0.0f);
  FoldValueBias(&head->key_value, width, &head->projection);
  DropBiasOfZeros(&head->key_value);
  FoldNorm(&head->mlp_norm, &head->fc1);
}

void SmoothNorm(Norm* norm, LinearWeights* linear, std::span<const float> factors) {
  if (factors.empty()) return;
  if (norm->gamma.empty()) norm->gamma.assign(factors.size(), 1.0f);
  norm->plain = false;
  for (size_t i = 0; i < factors.size(); ++i) {
    norm->gamma[i] /= factors[i];
    if (!norm->beta.empty()) norm->beta[i] /= factors[i];
  }
  ScaleColumns(linear, factors);
}

void SmoothRows(LinearWeights* from, int first, LinearWeights* to, std::span<const float> factors) {
  for (size_t i = 0; i < factors.size(); ++i)
    ScaleRows(from, first + static_cast<int>(i), 1, 1.0 / factors[i]);
  if (!factors.empty()) ScaleColumns(to, factors);
}

LinearWeights FoldPixels(const LinearWeights& patch, const ImageConfig& image, int patch_height,
                         int patch_width, int channels, int* zero_point) {
  double mean = 0;
  for (float channel_mean : image.mean) mean += 255.0 * channel_mean / channels;
  const int zero = static_cast<int>(std::clamp(std::lround(mean), 0L, 255L));
  *zero_point = zero - 128;
  LinearWeights folded{patch.outputs, patch.inputs, std::vector<float>(patch.weight.size()),
                       std::vector<float>(patch.outputs)};
  const int area = patch_height * patch_width;
  for (int o = 0; o < patch.outputs; ++o) {
    const float* from = &patch.weight[static_cast<size_t>(o) * patch.inputs];
    float* to = &folded.weight[static_cast<size_t>(o) * patch.inputs];
    double bias = patch.bias.empty() ? 0.0 : patch.bias[o];
    for (int c = 0; c < channels; ++c) {
      const double scale = 1 / (255.0 * image.deviation[c]), offset = (zero - 255.0 * image.mean[c]) * scale;
      double sum = 0;
      for (int i = 0; i < area; ++i) {
        const float weight = from[c * area + i];
        to[i * channels + c] = static_cast<float>(weight * scale);
        sum += weight;
      }
      bias += sum * offset;
    }
    folded.bias[o] = static_cast<float>(bias);
  }
  return folded;
}

}  // namespace vitrine
