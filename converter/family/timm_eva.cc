// SPDX-License-Identifier: Apache-2.0
// timm Eva (timm/models/eva.py): EVA, EVA02, DINOv3 and the Vision Transformers with axial rotary positions.
#include <optional>
#include <string>

#include "converter/error.h"
#include "converter/family/names.h"
#include "converter/family/table.h"
#include "converter/vit/positions.h"

namespace vitrine {
namespace {

/// The arguments of Eva that tensors do not show, or that require tensors.
struct Arguments {
  bool class_token = false, registers = false, positions = false;
  bool rotary = false;
  std::string type = "cat";  // "dinov3": coordinates of centres
  double temperature = 10000, offset = 0;
  ImageSize reference = {};  // 0: none
  bool rotate_half = false;
  std::string indexing = "ij";
};

/// Returns what timm's model functions set; a hub config.json has only the function's name.
Arguments OfArchitecture(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  Arguments arguments;
  if (has("dinov3")) {
    arguments.class_token = arguments.registers = arguments.rotary = arguments.rotate_half = true;
    arguments.type = "dinov3";
    arguments.temperature = 100;
  } else if (name.starts_with("eva02_") || has("_rope_reg")) {
    arguments.rotary = true;
    arguments.reference = {16, 16};
  } else if (has("_rope_")) {
    arguments.class_token = arguments.rotary = true;
    arguments.temperature = 100;
    arguments.indexing = "xy";
  }
  return arguments;
}

constexpr const char* kEnormous = "eva02_enormous_patch14";

/// Returns the name of a model with the same tensors, for checkpoints without a name.
const char* LikelyArchitecture(const Names& names, const VitConfig& config) {
  constexpr int kEnormousDepth = 64;
  if (config.depth == kEnormousDepth) return kEnormous;
  if (names.Has(Slot::kPositions)) return config.gated_mlp ? "eva02_large_patch14" : "eva_giant_patch14";
  if (!names.Has(Slot::kClassToken)) return "vit_base_patch16_rope_reg1_gap";
  return names.Has(Slot::kRegisters) ? "vit_base_patch16_dinov3" : "vit_base_patch16_rope_224";
}

[[noreturn]] void RefusePostNorm() {
  Fail("this is an EVA with norms after its layers (use_post_norm), which are not supported");
}

Arguments ReadArguments(const JsonObject& model, const Names& names, Layout* layout) {
  Arguments arguments;
  if (model.has("embed_dim") || model.has("use_rot_pos_emb")) {
    arguments.class_token = arguments.positions = true;  // the defaults of Eva
  } else {
    const std::optional<std::string> configured = model.Text({"architecture"});
    const std::string name = configured.value_or(LikelyArchitecture(names, layout->config));
    if (name.starts_with(kEnormous)) RefusePostNorm();
    if (!configured) layout->remark = "assumed the positions of " + name + "; use --config to change this";
    arguments = OfArchitecture(name);
  }
  arguments.class_token = model.Flag({"class_token"}).value_or(arguments.class_token);
  arguments.positions = model.Flag({"use_abs_pos_emb"}).value_or(arguments.positions);
  arguments.rotary = model.Flag({"use_rot_pos_emb"}).value_or(arguments.rotary);
  arguments.type = model.Text({"rope_type"}).value_or(arguments.type);
  arguments.temperature = model.Number({"rope_temperature"}).value_or(arguments.temperature);
  arguments.offset = model.Number({"rope_grid_offset"}).value_or(arguments.offset);
  arguments.reference = model.Size({"ref_feat_shape"}).value_or(arguments.reference);
  arguments.rotate_half = model.Flag({"rope_rotate_half"}).value_or(arguments.rotate_half);
  arguments.indexing = model.Text({"rope_grid_indexing"}).value_or(arguments.indexing);
  return arguments;
}

/// Returns whether it has a tensor that a plain VisionTransformer does not have.
bool Fits(const Names& names) {
  for (const Slot slot : {Slot::kQueryBias, Slot::kQuery, Slot::kAttentionNorm, Slot::kScale1, Slot::kFc1Gate,
                          Slot::kMlpNorm}) {
    if (names.Has(slot)) return true;
  }
  return false;
}

void SettleRotary(const Arguments& arguments, Layout* layout) {
  const bool centered = arguments.type == "dinov3";
  if ((!centered && arguments.type != "cat") || (centered && arguments.offset != 0)) {
    Fail("this is a model with rotary positions of the kind ", arguments.type,
         centered ? " and an offset" : "", ": only those of DINOv3 and of EVA02 are supported");
  }
  Rotary rotary = MakeRotary(arguments.temperature, layout->config.head_size, centered);
  rotary.offset = arguments.offset;
  rotary.reference_height = arguments.reference.height;
  rotary.reference_width = arguments.reference.width;
  rotary.column_first = arguments.indexing == "xy";
  layout->config.rotary = rotary;
  layout->interleaved_rotary = !arguments.rotate_half;
}

void Settle(const Configuration& configuration, const Names& names, Layout* layout) {
  const JsonObject& model = configuration.model;
  if (model.Flag({"use_post_norm"}).value_or(false)) RefusePostNorm();
  const Arguments arguments = ReadArguments(model, names, layout);
  if (arguments.class_token) names.Require(Slot::kClassToken);
  if (arguments.registers) names.Require(Slot::kRegisters);
  if (arguments.positions || !arguments.rotary) names.Require(Slot::kPositions);
  if (arguments.rotary) SettleRotary(arguments, layout);
  if (!model.has("norm_eps") && arguments.type == "dinov3") layout->config.norm_epsilon = 1e-5f;
  layout->qkv_bias = layout->qkv_bias && names.Has(Slot::kQkv, Part::kBias);
  // The default of Eva's global_pool is "avg".
  if (!model.has("global_pool") || !names.Has(Slot::kClassToken))
    layout->config.pooling = Pooling::kPatchMean;
}

}  // namespace

const Family& TimmEva() {
  static const Family family = {
      .name = "timm-eva",
      .title = "timm Eva",
      .configuration_names = {"Eva", "eva02_*", "eva_giant*", "*dinov3*", "*_rope_*"},
      .fits = Fits,
      .prefixes = {"visual.trunk.", "backbone.", "model."},
      .slots =
          {
              {Slot::kClassToken, "cls_token", SlotName::kSometimes},
              {Slot::kRegisters, "reg_token", SlotName::kSometimes},
              {Slot::kPositions, "pos_embed", SlotName::kSometimes},
              {Slot::kPatch, "patch_embed.proj.*"},
              {Slot::kPreNorm, "norm_pre.*", SlotName::kSometimes},

              {Slot::kNorm1, "blocks.{}.norm1.*"},
              {Slot::kQkv, "blocks.{}.attn.qkv.*", SlotName::kSometimes},
              {Slot::kQueryBias, "blocks.{}.attn.q_bias", SlotName::kSometimes},
              {Slot::kValueBias, "blocks.{}.attn.v_bias", SlotName::kSometimes},
              {Slot::kQuery, "blocks.{}.attn.q_proj.*", SlotName::kSometimes},
              {Slot::kKey, "blocks.{}.attn.k_proj.*", SlotName::kSometimes},
              {Slot::kValue, "blocks.{}.attn.v_proj.*", SlotName::kSometimes},
              {Slot::kQueryNorm, "blocks.{}.attn.q_norm.*", SlotName::kSometimes},
              {Slot::kKeyNorm, "blocks.{}.attn.k_norm.*", SlotName::kSometimes},
              {Slot::kAttentionNorm, "blocks.{}.attn.norm.*", SlotName::kSometimes},
              {Slot::kProjection, "blocks.{}.attn.proj.*"},
              {Slot::kScale1, "blocks.{}.gamma_1", SlotName::kSometimes},
              {Slot::kNorm2, "blocks.{}.norm2.*"},
              {Slot::kFc1, "blocks.{}.mlp.fc1.*", SlotName::kSometimes},
              {Slot::kFc1Gate, "blocks.{}.mlp.fc1_g.*", SlotName::kSometimes},
              {Slot::kFc1Value, "blocks.{}.mlp.fc1_x.*", SlotName::kSometimes},
              {Slot::kMlpNorm, "blocks.{}.mlp.norm.*", SlotName::kSometimes},
              {Slot::kFc2, "blocks.{}.mlp.fc2.*"},
              {Slot::kScale2, "blocks.{}.gamma_2", SlotName::kSometimes},

              {Slot::kNorm, "norm.*", SlotName::kSometimes},
              {Slot::kPoolNorm, "fc_norm.*", SlotName::kSometimes},
              {Slot::kClassifier, "head.*", SlotName::kSometimes},
          },
      .ignored = {"logit_scale", "logit_bias", "text.*", "rope.bands", "rope.pos_embed*"},
      .positions = PositionFilter::kBicubicAntialiased,
      .image = {.mean = kImageNetMean, .deviation = kImageNetDeviation},
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
