// SPDX-License-Identifier: Apache-2.0
#include "tests/support/reference_vit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "converter/vit/fold.h"

namespace vitrine {
namespace {

/// [rows, columns], row-major.
struct Matrix {
  int rows, columns;
  std::vector<double> values;
  Matrix(int rows, int columns) : rows(rows), columns(columns), values(static_cast<size_t>(rows) * columns) {}
  double* row(int r) { return &values[static_cast<size_t>(r) * columns]; }
  const double* row(int r) const { return &values[static_cast<size_t>(r) * columns]; }
};

Matrix Apply(const LinearWeights& linear, const Matrix& input) {
  Matrix output(input.rows, linear.outputs);
  for (int t = 0; t < input.rows; ++t) {
    for (int o = 0; o < linear.outputs; ++o) {
      const float* weight = &linear.weight[static_cast<size_t>(o) * linear.inputs];
      double sum = linear.bias.empty() ? 0.0 : linear.bias[o];
      for (int i = 0; i < linear.inputs; ++i) sum += input.row(t)[i] * weight[i];
      output.row(t)[o] = sum;
    }
  }
  return output;
}

void NormalizeRow(const Norm& norm, double* x, int count) {
  double mean = 0, variance = 0;
  for (int i = 0; i < count; ++i) mean += x[i] / count;
  for (int i = 0; i < count; ++i) variance += (x[i] - mean) * (x[i] - mean) / count;
  for (int i = 0; i < count; ++i) {
    x[i] = (x[i] - mean) / std::sqrt(variance + static_cast<double>(norm.epsilon));
    if (!norm.gamma.empty()) x[i] *= norm.gamma[i];
    if (!norm.beta.empty()) x[i] += norm.beta[i];
  }
}

Matrix Normalize(const Norm& norm, Matrix x) {
  for (int t = 0; t < x.rows && norm.present(); ++t) NormalizeRow(norm, x.row(t), x.columns);
  return x;
}

double Evaluate(Activation activation, double x) {
  switch (activation) {
    case Activation::kGeluErf:
      return x * 0.5 * std::erfc(-x / std::numbers::sqrt2);
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kRelu:
      return std::max(0.0, x);
    case Activation::kTanh:
      return std::tanh(x);
  }
  return 0;
}

Matrix Activate(const VitConfig& config, const Matrix& x, bool gated) {
  Matrix output(x.rows, gated ? x.columns / 2 : x.columns);
  for (int t = 0; t < x.rows; ++t) {
    for (int i = 0; i < output.columns; ++i) {
      const double value = Evaluate(config.activation, x.row(t)[i]);
      output.row(t)[i] = gated ? value * x.row(t)[output.columns + i] : value;
    }
  }
  return output;
}

/// softmax(scale Q K^T) V of one head; row r of Q begins at query.row(r) + query_column, and so on.
void AttendHead(const Matrix& query, int query_column, const Matrix& key_value, int key_column,
                int value_column, int size, double scale, Matrix* output, int output_column,
                const std::function<double(int, int)>& bias = {}) {
  std::vector<double> scores(key_value.rows);
  for (int t = 0; t < query.rows; ++t) {
    double largest = -INFINITY, sum = 0;
    for (int s = 0; s < key_value.rows; ++s) {
      scores[s] = 0;
      for (int k = 0; k < size; ++k) {
        scores[s] += scale * query.row(t)[query_column + k] * key_value.row(s)[key_column + k];
      }
      if (bias) scores[s] += bias(t, s);
      largest = std::max(largest, scores[s]);
    }
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (int k = 0; k < size; ++k) {
      double value = 0;
      for (int s = 0; s < key_value.rows; ++s) value += scores[s] / sum * key_value.row(s)[value_column + k];
      output->row(t)[output_column + k] = value;
    }
  }
}

/// Rotates the pairs (i, i + K / 2) of a head by the angles of the patch.
void Rotate(const VitConfig& c, int patch, double* x) {
  const int columns = c.image_width / c.patch_width, rows = c.image_height / c.patch_height;
  const int half = c.head_size / 2, quarter = c.head_size / 4;
  for (int i = 0; i < half; ++i) {
    const bool of_row = (i < quarter) != c.rotary.column_first;
    const int count = of_row ? rows : columns, number = of_row ? patch / columns : patch % columns;
    const int reference = of_row ? c.rotary.reference_height : c.rotary.reference_width;
    const double at = c.rotary.centered
                          ? (2.0 * number + 1) / count - 1
                          : (number + c.rotary.offset) * (reference ? reference : count) / count;
    const double angle = at * c.rotary.frequencies[i % quarter], a = x[i], b = x[i + half];
    x[i] = a * std::cos(angle) - b * std::sin(angle);
    x[i + half] = b * std::cos(angle) + a * std::sin(angle);
  }
}

/// Returns the table's value for query t and key s of a head; token 0 is the class token.
double PositionBias(const VitConfig& c, const std::vector<float>& table, int head, int t, int s) {
  const int rows = c.image_height / c.patch_height, columns = c.image_width / c.patch_width;
  const int distances = (2 * rows - 1) * (2 * columns - 1);
  const float* of_head = &table[static_cast<size_t>(head) * (distances + 3)];
  if (t == 0 || s == 0) return of_head[distances + (t != 0 ? 1 : s == 0 ? 2 : 0)];
  const int down = (t - 1) / columns - (s - 1) / columns, right = (t - 1) % columns - (s - 1) % columns;
  return of_head[(down + rows - 1) * (2 * columns - 1) + right + columns - 1];
}

Matrix Attend(const VitConfig& config, const Block& block, Matrix qkv, double scale) {
  const int size = config.head_size, width = config.heads * size;
  Matrix output(qkv.rows, width);
  for (int head = 0; head < config.heads; ++head) {
    const int at = head * size;
    for (int t = 0; t < qkv.rows; ++t) {
      if (block.query_norm.present()) NormalizeRow(block.query_norm, qkv.row(t) + at, size);
      if (block.key_norm.present()) NormalizeRow(block.key_norm, qkv.row(t) + width + at, size);
      const int patch = t - config.prefix_tokens;
      if (patch < 0 || !config.rotary.present()) continue;
      Rotate(config, patch, qkv.row(t) + at);
      Rotate(config, patch, qkv.row(t) + width + at);
    }
    std::function<double(int, int)> bias;
    if (!block.position_bias.empty()) {
      bias = [&](int t, int s) { return PositionBias(config, block.position_bias, head, t, s); };
    }
    AttendHead(qkv, at, qkv, width + at, 2 * width + at, size, scale, &output, at, bias);
  }
  return output;
}

void AddTo(Matrix* x, const Matrix& delta, const std::vector<float>& scale) {
  for (int t = 0; t < x->rows; ++t) {
    for (int i = 0; i < x->columns; ++i) x->row(t)[i] += delta.row(t)[i] * (scale.empty() ? 1.0 : scale[i]);
  }
}

/// Returns the inputs of the patch embedding: (c, y, x) and normalised, or (y, x, c) minus `zero`.
Matrix CutPatches(const Vit& vit, std::span<const uint8_t> pixels, bool folded, int zero) {
  const VitConfig& c = vit.config;
  const int rows = c.image_height / c.patch_height, columns = c.image_width / c.patch_width;
  Matrix patches(rows * columns, c.patch_height * c.patch_width * c.channels);
  for (int p = 0; p < patches.rows; ++p) {
    for (int y = 0; y < c.patch_height; ++y) {
      for (int x = 0; x < c.patch_width; ++x) {
        for (int k = 0; k < c.channels; ++k) {
          const size_t row = p / columns * c.patch_height + y, column = p % columns * c.patch_width + x;
          const double pixel = pixels[(row * c.image_width + column) * c.channels + k];
          if (folded) {
            patches.row(p)[(y * c.patch_width + x) * c.channels + k] = pixel - zero;
          } else {
            patches.row(p)[(k * c.patch_height + y) * c.patch_width + x] =
                (pixel / 255 - vit.image.mean[k]) / vit.image.deviation[k];
          }
        }
      }
    }
  }
  return patches;
}

Matrix Embed(const Vit& vit, std::span<const uint8_t> pixels, bool folded) {
  const VitConfig& config = vit.config;
  Embedding embedding = vit.load_embedding();
  int zero_point = 0;
  if (folded) {
    embedding.patch = FoldPixels(embedding.patch, vit.image, config.patch_height, config.patch_width,
                                 config.channels, &zero_point);
  }
  const Matrix patches = Normalize(embedding.patch_norm,
                                   Apply(embedding.patch, CutPatches(vit, pixels, folded, 128 + zero_point)));
  Matrix tokens(config.tokens(), config.width);
  for (size_t i = 0; i < embedding.positions.size(); ++i) tokens.values[i] = embedding.positions[i];
  for (int p = 0; p < patches.rows; ++p) {
    for (int i = 0; i < config.width; ++i) tokens.row(config.prefix_tokens + p)[i] += patches.row(p)[i];
  }
  return Normalize(embedding.pre_norm, std::move(tokens));
}

void Append(const Matrix& x, int first, int count, Matrix* pooled) {
  for (int i = 0; i < x.columns; ++i) {
    double sum = 0;
    for (int t = first; t < first + count; ++t) sum += x.row(t)[i];
    pooled->values.push_back(sum / count);
  }
  pooled->columns = static_cast<int>(pooled->values.size());
}

Matrix AttentionPool(const VitConfig& config, const Head& head, const Matrix& tokens, double scale) {
  Matrix patches(tokens.rows - config.prefix_tokens, tokens.columns), query(1, config.width),
      pooled(1, config.width);
  std::copy(tokens.row(config.prefix_tokens), tokens.row(0) + tokens.values.size(), patches.values.begin());
  std::copy(head.query.begin(), head.query.end(), query.values.begin());
  const Matrix key_value = Apply(head.key_value, patches);
  for (int h = 0; h < config.heads; ++h) {
    const int at = h * config.head_size;
    AttendHead(query, at, key_value, at, config.width + at, config.head_size, scale, &pooled, at);
  }
  Matrix x = Apply(head.projection, pooled);
  AddTo(&x, Apply(head.fc2, Activate(config, Apply(head.fc1, Normalize(head.mlp_norm, x)), false)), {});
  return x;
}

Matrix Pool(const VitConfig& config, const Head& head, const Matrix& tokens, double scale) {
  const int first = config.prefix_tokens, patches = tokens.rows - first;
  if (config.pooling == Pooling::kAttention) return AttentionPool(config, head, tokens, scale);
  Matrix pooled(1, 0);
  if (config.pooling != Pooling::kPatchMean) Append(tokens, 0, 1, &pooled);
  if (config.pooling == Pooling::kClassAndDistillation) Append(tokens, 1, 1, &pooled);
  if (config.pooling == Pooling::kPatchMean || config.pooling == Pooling::kClassAndPatchMean) {
    Append(tokens, first, patches, &pooled);
  }
  return pooled;
}

void RunHead(const Vit& vit, bool folded, const Matrix& tokens, ReferenceOutput* output) {
  const VitConfig& config = vit.config;
  Head head = vit.load_head();
  if (folded) FoldHead(&head, config);
  const double scale = folded ? 1.0 : 1 / std::sqrt(static_cast<double>(config.head_size));
  Matrix x = Normalize(head.pool_norm, Pool(config, head, Normalize(head.norm, tokens), scale));
  if (head.pooler.present()) x = Apply(head.pooler, x);
  if (head.pooler.present() && head.pooler_tanh) {
    for (double& value : x.values) value = std::tanh(value);
  }
  output->embedding = x.values;
  if (head.classifier.present()) output->logits = Apply(head.classifier, x).values;
}

}  // namespace

ReferenceOutput RunReference(const Vit& vit, std::span<const uint8_t> pixels, bool folded, float share) {
  const VitConfig& config = vit.config;
  Matrix x = Embed(vit, pixels, folded);
  for (int index = 0; index < config.depth; ++index) {
    Block block = vit.load_block(index);
    if (folded) FoldBlock(&block, config, share);
    const double scale = folded ? 1.0 : config.attention_scale;
    const Matrix qkv = Apply(block.qkv, Normalize(block.norm1, x));
    AddTo(&x, Apply(block.projection, Normalize(block.attention_norm, Attend(config, block, qkv, scale))),
          block.scale1);
    const Matrix hidden = Activate(config, Apply(block.fc1, Normalize(block.norm2, x)), config.gated_mlp);
    AddTo(&x, Apply(block.fc2, Normalize(block.mlp_norm, hidden)), block.scale2);
  }
  ReferenceOutput output;
  output.tokens = x.values;
  RunHead(vit, folded, x, &output);
  return output;
}

}  // namespace vitrine
