// SPDX-License-Identifier: Apache-2.0
// The canonical ViT: one configuration and one set of names for all model families. The families' tables fill
// it; folding and lowering read nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vitrine {

enum class Activation { kGeluErf, kGeluTanh, kQuickGelu, kSilu, kRelu, kTanh };

/// The part of the tokens [T, D] after the last block that the head reads.
enum class Pooling {
  kClassToken,            ///< row 0
  kClassAndDistillation,  ///< rows 0 and 1, one after the other: [1, 2 D] (DeiT: the mean of two heads)
  kClassAndPatchMean,     ///< row 0 and the mean of the patch rows: [1, 2 D] (Dinov2ForImageClassification)
  kPatchMean,             ///< the mean of the patch rows (timm global_pool="avg")
  kAttention,  ///< attention pooling of the patch rows with a learnt query (SigLIP, timm global_pool="map")
};

/// Rotary positions: rotate the queries and keys of the patches by angles, each a coordinate of the patch
/// times a frequency. The first half of a head's K / 2 angles uses the patch's row, the second its column, or
/// the reverse.
struct Rotary {
  std::vector<double>
      frequencies;       ///< [K / 4] radians per unit of the coordinate; empty: no rotary positions
  bool centered = true;  ///< a coordinate is the patch's centre, with the image from -1 to 1 along each side;
                         ///< otherwise the patch's number, from 0, plus `offset`
  double offset = 0;
  /// Not centered: numbers are scaled to a grid of this size; 0: not scaled.
  int reference_height = 0, reference_width = 0;
  bool column_first = false;
  bool present() const { return !frequencies.empty(); }
};

struct VitConfig {
  std::string family;  ///< for people: "timm VisionTransformer", "Hugging Face Dinov2ForImageClassification"
  int image_height = 0, image_width = 0;  ///< pixels, of the input that the model is converted for
  int channels = 3;
  int patch_height = 0, patch_width = 0;  ///< pixels
  int width = 0;                          ///< D
  int depth = 0;                          ///< L
  int heads = 0;                          ///< H
  int head_size = 0;                      ///< K
  int mlp_width = 0;                      ///< M: inputs of fc2 (gated: half the outputs of fc1)
  bool gated_mlp = false;                 ///< SwiGLU: fc1 gives [gate, value], activation(gate) * value
  Activation activation = Activation::kGeluErf;
  float norm_epsilon = 1e-6f;
  /// Multiplies Q K^T; head_size^-0.5 unless the checkpoint's arguments have another value.
  double attention_scale = 0;
  int prefix_tokens = 1;  ///< rows before the first patch: class, distillation, registers
  Rotary rotary;          ///< values i and i + K / 2 of a head are a pair, for every checkpoint
  Pooling pooling = Pooling::kClassToken;
  int classes = 0;                 ///< 0: no classifier, the embedding is the output
  bool keeps_patches = false;      ///< the patches after the last norm are an output too
  bool keys_are_compared = false;  ///< by token merging: the key bias must stay
  /// Pixels beyond the last whole patch at the right and the bottom are not read (SigLIP So400m: 384 by 14).
  int tokens() const { return prefix_tokens + (image_height / patch_height) * (image_width / patch_width); }
};

/// LayerNorm and its affine, both [D] (gamma alone after beta has been folded).
struct Norm {
  std::vector<float> gamma, beta;
  float epsilon = 1e-6f;
  bool plain = false;  ///< after folding: (x - mean) / deviation alone
  bool present() const { return plain || !gamma.empty(); }
};

/// y = x W^T + b. weight [outputs, inputs] row-major; bias [outputs] or empty.
struct LinearWeights {
  int outputs = 0, inputs = 0;
  std::vector<float> weight, bias;
  bool present() const { return outputs != 0; }
};

/// From pixels to tokens.
struct Embedding {
  /// [D, C * P * P], the columns in Conv2d's order (channel, y, x); input (u8/255 - mean)/std.
  LinearWeights patch;
  Norm patch_norm;               ///< over each patch's embedding, before positions
  std::vector<float> positions;  ///< [T, D]: position embedding at this size, with class, distillation,
                                 ///< registers added in; [prefix_tokens, D] where the patches have none
  Norm pre_norm;                 ///< over each token, after positions (CLIP)
};

struct Block {
  Norm norm1;
  LinearWeights qkv;          ///< [3 D, D]: query, key, value, each head by head
  Norm query_norm, key_norm;  ///< over each head's K values (QK norm)
  /// Relative, added to the scores, or empty: [H, (2 h - 1) (2 w - 1) + 3] for one class token and a grid of
  /// h x w patches, as in schema::Attention.
  std::vector<float> position_bias;
  Norm attention_norm;        ///< over the concatenated heads, before the projection (EVA)
  LinearWeights projection;   ///< [D, D]
  std::vector<float> scale1;  ///< layer scale [D] or empty
  Norm norm2;
  LinearWeights fc1, fc2;
  Norm mlp_norm;  ///< [M], between the activation and fc2 (EVA02)
  std::vector<float> scale2;
};

/// From the last block's tokens to the output: norm, pool, pool_norm, pooler and its activation, classifier.
struct Head {
  Norm norm;             ///< the encoder's last norm, on every token that is pooled
  Norm pool_norm;        ///< on the pooled vector (timm fc_norm)
  LinearWeights pooler;  ///< [E, pooled] (timm pre_logits, Hugging Face pooler, CLIP's projection) or absent
  bool pooler_tanh = false;  ///< tanh after the pooler
  LinearWeights classifier;  ///< [C, E] or absent; two heads (DeiT) are one of [C, 2 D], halved
  // Attention pooling only, x = projection(attention); x + fc2(activation(fc1(mlp_norm(x)))):
  std::vector<float> query;  ///< the learnt query after its projection [D], unscaled (head_size^-0.5 always)
  LinearWeights key_value;   ///< [2 D, D]
  LinearWeights projection;  ///< [D, D]
  Norm mlp_norm;
  LinearWeights fc1, fc2;
};

/// From a photo to the model's input, as in the library's image processor.
struct ImageConfig {
  enum class Resize { kNone, kShortestSide, kSquash } resize = Resize::kShortestSide;
  /// Pixels. With kShortestSide both are equal, or, for an input that is not square, the resized image must
  /// cover them (timm's ResizeKeepRatio).
  int resize_height = 0, resize_width = 0;
  int interpolation = 3;  ///< Pillow's number: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming
  /// Hugging Face processors floor the crop's offset, the others round half to even.
  bool crop_floor = false;
  std::vector<float> mean, deviation;  ///< [C], of pixels scaled to 0..1
  bool assumed = false;                ///< the family's default, because no file has it
};

/// Returns the preprocessing for people: "shortest side 256 bicubic, crop 224x224, mean ..., deviation ...".
std::string Describe(const VitConfig& config, const ImageConfig& image);

/// A checkpoint as a ViT. The functions read the weights of one layer, in f32. They throw an Error when a
/// tensor is missing or has another shape, with its name and the expected and found shapes.
struct Vit {
  VitConfig config;
  ImageConfig image;
  std::vector<std::string> labels;   ///< as many as classes, or empty
  std::vector<std::string> remarks;  ///< for the user: what was assumed, one sentence each
  std::function<Embedding()> load_embedding;
  std::function<Block(int)> load_block;
  std::function<Head()> load_head;
};

}  // namespace vitrine
