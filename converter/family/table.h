// SPDX-License-Identifier: Apache-2.0
// Family: a model family as a table of names, with defaults for what its files leave out.
// To add a family: one .cc file with such a table, a declaration at the end of this file, one line in
// family.cc, one fixture.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/checkpoint/readers.h"
#include "converter/family/configuration.h"
#include "converter/vit/positions.h"
#include "converter/vit/vit.h"

namespace vitrine {

class Names;

namespace checkpoint {
class Checkpoint;
}

/// The parameters of a canonical ViT. Norms and linear layers have a weight and a bias.
enum class Slot {
  // Embedding
  kClassToken,
  kDistillationToken,
  kRegisters,
  kPositions,
  kRotaryPeriods,
  kSharedPositionBias,  // relative, of every block
  kPatch,
  kPatchNorm,
  kPreNorm,
  // Block. Query, key and value come as one layer or three; gate and value of a gated MLP as fc1 or as two.
  kNorm1,
  kQkv,
  kQueryBias,  // of kQkv, where it has no tensor for the bias of all three
  kValueBias,
  kBiasMask,
  kQuery,
  kKey,
  kValue,
  kQueryNorm,
  kKeyNorm,
  kPositionBias,  // relative
  kAttentionNorm,
  kProjection,
  kScale1,
  kNorm2,
  kFc1,
  kFc1Gate,
  kFc1Value,
  kMlpNorm,
  kFc2,
  kScale2,
  // Head
  kNorm,
  kPoolNorm,
  kPooler,
  kClassifier,
  kDistillationClassifier,
  // Attention pooling: a learnt vector, projected to the query; key and value as one layer, or all three.
  kLatent,
  kLatentQuery,
  kLatentKeyValue,
  kLatentQkv,
  kLatentProjection,
  kLatentNorm,
  kLatentFc1,
  kLatentFc2,
  kCount
};

/// A slot and the name of its tensor: "{}" stands for the block's number, "*" for weight or bias.
/// A slot may have several names, because libraries rename; a checkpoint uses one of them. kAlways: a
/// checkpoint without a tensor of this slot is refused.
struct SlotName {
  Slot slot;
  const char* pattern;
  enum Presence { kAlways, kSometimes } presence = kAlways;
};

/// The preprocessing of a family, for checkpoints without a preprocessor file.
struct ImageDefaults {
  ImageConfig::Resize resize = ImageConfig::Resize::kShortestSide;
  double crop_fraction = 1;  ///< input size / resized size
  int interpolation = 3;
  bool crop_floor = false;
  std::array<float, 3> mean, deviation;
};

inline constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f};
inline constexpr std::array<float, 3> kImageNetMean = {0.485f, 0.456f, 0.406f};
inline constexpr std::array<float, 3> kImageNetDeviation = {0.229f, 0.224f, 0.225f};
inline constexpr std::array<float, 3> kClipMean = {0.48145466f, 0.4578275f, 0.40821073f};
inline constexpr std::array<float, 3> kClipDeviation = {0.26862954f, 0.26130258f, 0.27577711f};

struct Family;

/// One checkpoint, as its configuration and shapes describe it; a family's `settle` may correct it.
struct Layout {
  VitConfig config;
  PatchGrid stored_grid;      ///< of the position table in the checkpoint; no cells: it has none
  PatchGrid bias_grid;        ///< of the relative position bias in the checkpoint; no cells: it has none
  bool bias_resizes = false;  ///< the bias can be resampled, two taps a side (transformers)
  int stored_prefix = 0;      ///< rows of that table before the first patch's
  bool final_norm = true;     ///< the head reads normed tokens
  bool qkv_bias = false;      ///< query, key and value must have a bias; otherwise they may
  bool linear_bias = true;    ///< the block's other linear layers must have one
  bool patch_channels_last = false;  ///< columns of the patch embedding are in the order (y, x, channel)
  bool no_key_bias = false;          ///< even if the checkpoint has one
  bool interleaved_rotary = false;   ///< rotates the pairs 2 i, 2 i + 1 of a head
  bool pooler_bias = true, pooler_tanh = true;
  ImageDefaults image;
  PositionFilter positions = PositionFilter::kBicubic;
  std::string remark;  ///< what `settle` assumed
};

/// The order of dimensions in the file's weights.
enum class Order {
  kTorch,  ///< linear [outputs, inputs], convolution [outputs, channels, y, x]; "weight" and "bias"
  kFlax,   ///< linear [inputs, outputs] with heads as a dimension of their own, convolution [y, x, channels,
           ///< outputs]; "kernel" ("scale" of a norm) and "bias"
};

struct Family {
  const char* name;   ///< for --family
  const char* title;  ///< for people
  std::vector<const char*> configuration_names =
      {};                                  ///< values of model_type, architectures, architecture or
                                           ///< model_class; a trailing "*" matches any end
  const char* sign = nullptr;              ///< a tensor that only this family has
  bool (*fits)(const Names&) = nullptr;    ///< false: another family, unless the configuration names this one
  std::vector<const char*> prefixes = {};  ///< added to the names by wrapping modules
  std::vector<SlotName> slots;
  std::vector<const char*> ignored = {};  ///< tensors that the output does not need; "*" as above
  checkpoint::NamePatterns::TrainingHead training_head = {};  ///< left out by the reader
  Order order = Order::kTorch;
  bool hidden_act_gates = false;  ///< a gated MLP has the activation of the configuration's hidden_act
  Activation activation = Activation::kGeluErf;
  float norm_epsilon = 1e-6f;
  PositionFilter positions = PositionFilter::kBicubic;
  ImageDefaults image;
  void (*settle)(const Configuration&, const Names&, Layout*) = nullptr;
};

// The tables, in the order of Families().

const Family& Timm();
const Family& TimmEva();
const Family& TimmBeit();
const Family& DinoHub();
const Family& Dinov3Hub();
const Family& HuggingFaceVit();
const Family& HuggingFaceDeit();
const Family& HuggingFaceIJepa();
const Family& HuggingFaceDinov2();
const Family& HuggingFaceDinov3();
const Family& HuggingFaceBeit();
const Family& HuggingFaceClip();
const Family& HuggingFaceSiglip();
const Family& Torchvision();
const Family& GoogleFlax();

/// Returns every family. Where two explain a checkpoint equally well, the first is taken.
std::span<const Family* const> Families();

/// Returns the names of all families' tables that the readers of checkpoint/ need: tokens, positions,
/// attention, layer scale, attention pooling and training heads.
checkpoint::NamePatterns AllNamePatterns();

/// Throws an Error for a model that is known but not supported: "this is a Swin
/// Transformer: its windowed attention is not supported". Does nothing otherwise.
void RefuseOtherModels(const checkpoint::Checkpoint& checkpoint, const Configuration& configuration);

/// Throws an Error for a checkpoint that no family explains.
[[noreturn]] void RefuseUnknownModel(const checkpoint::Checkpoint& checkpoint);

}  // namespace vitrine
