// SPDX-License-Identifier: Apache-2.0
// timm Beit (timm/models/beit.py): BEiT and BEiT v2.
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

void Settle(const Configuration& configuration, const Names& names, Layout* layout) {
  const JsonObject& model = configuration.model;
  if (model.Flag({"use_rel_pos_bias"}).value_or(false)) names.Require(Slot::kPositionBias);
  if (model.Flag({"use_shared_rel_pos_bias"}).value_or(false)) names.Require(Slot::kSharedPositionBias);
  if (model.Flag({"use_abs_pos_emb"}).value_or(model.has("embed_dim"))) names.Require(Slot::kPositions);
  layout->qkv_bias = false;  // its biases are separate tensors
  if (!model.has("global_pool")) layout->config.pooling = Pooling::kPatchMean;
  if (!configuration.Names("beitv2_*")) return;
  layout->image.mean = kImageNetMean;
  layout->image.deviation = kImageNetDeviation;
}

bool Fits(const Names& names) {
  return names.Has(Slot::kPositionBias) || names.Has(Slot::kSharedPositionBias);
}

}  // namespace

const Family& TimmBeit() {
  static const Family family = {
      .name = "timm-beit",
      .title = "timm Beit",
      .configuration_names = {"Beit", "beit_*", "beitv2_*"},
      .fits = Fits,
      .prefixes = {"backbone.", "model.", "module."},
      .slots =
          {
              {Slot::kClassToken, "cls_token"},
              {Slot::kPositions, "pos_embed", SlotName::kSometimes},
              {Slot::kPatch, "patch_embed.proj.*"},
              {Slot::kSharedPositionBias, "rel_pos_bias.relative_position_bias_table", SlotName::kSometimes},

              {Slot::kNorm1, "blocks.{}.norm1.*"},
              {Slot::kQkv, "blocks.{}.attn.qkv.*"},
              {Slot::kQueryBias, "blocks.{}.attn.q_bias", SlotName::kSometimes},
              {Slot::kValueBias, "blocks.{}.attn.v_bias", SlotName::kSometimes},
              {Slot::kPositionBias, "blocks.{}.attn.relative_position_bias_table", SlotName::kSometimes},
              {Slot::kProjection, "blocks.{}.attn.proj.*"},
              {Slot::kScale1, "blocks.{}.gamma_1", SlotName::kSometimes},
              {Slot::kNorm2, "blocks.{}.norm2.*"},
              {Slot::kFc1, "blocks.{}.mlp.fc1.*"},
              {Slot::kFc2, "blocks.{}.mlp.fc2.*"},
              {Slot::kScale2, "blocks.{}.gamma_2", SlotName::kSometimes},

              {Slot::kNorm, "norm.*", SlotName::kSometimes},
              {Slot::kPoolNorm, "fc_norm.*", SlotName::kSometimes},
              {Slot::kClassifier, "head.*", SlotName::kSometimes},
          },
      .positions = PositionFilter::kBicubicAntialiased,
      .image = {.crop_fraction = 0.9, .mean = kHalf, .deviation = kHalf},
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
