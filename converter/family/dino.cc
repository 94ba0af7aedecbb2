// SPDX-License-Identifier: Apache-2.0
// DINO, DINOv2 and DINOv3 as facebookresearch's torch hub has them
// ({dinov2,dinov3}/models/vision_transformer.py): timm's names except for registers and the gated MLP;
// positions are resampled in another way, or are rotary.
#include "converter/family/names.h"
#include "converter/family/table.h"
#include "converter/vit/positions.h"

namespace vitrine {
namespace {

void SettleDinov2(const Configuration&, const Names& names, Layout* layout) {
  // hubconf.py: models with registers interpolate with antialias and without the offset of 0.1.
  if (names.Has(Slot::kRegisters)) layout->positions = PositionFilter::kBicubicAntialiased;
}

void SettleDinov3(const Configuration& configuration, const Names& names, Layout* layout) {
  const double base = configuration.model.Number({"pos_embed_rope_base"}).value_or(100);
  layout->config.rotary = MakeRotary(base, layout->config.head_size, /*centered=*/true);
  // The model multiplies its bias by a mask of zeros for the keys.
  layout->no_key_bias = names.Has(Slot::kBiasMask);
  names.LeaveOut(Slot::kBiasMask);
}

}  // namespace

const Family& DinoHub() {
  static const Family family = {
      .name = "dinov2",
      .title = "facebookresearch DINOv2",
      .configuration_names = {"DinoVisionTransformer", "dinov2_vit*"},
      .sign = "mask_token",
      .prefixes = {"backbone.", "teacher.backbone."},
      .slots =
          {
              {Slot::kClassToken, "cls_token"},
              {Slot::kRegisters, "register_tokens", SlotName::kSometimes},
              {Slot::kPositions, "pos_embed"},
              {Slot::kPatch, "patch_embed.proj.*"},

              {Slot::kNorm1, "blocks.{}.norm1.*"},
              {Slot::kQkv, "blocks.{}.attn.qkv.*"},
              {Slot::kProjection, "blocks.{}.attn.proj.*"},
              {Slot::kScale1, "blocks.{}.ls1.gamma", SlotName::kSometimes},
              {Slot::kNorm2, "blocks.{}.norm2.*"},
              {Slot::kFc1, "blocks.{}.mlp.fc1.*"},
              {Slot::kFc1, "blocks.{}.mlp.w12.*"},
              {Slot::kFc2, "blocks.{}.mlp.fc2.*"},
              {Slot::kFc2, "blocks.{}.mlp.w3.*"},
              {Slot::kScale2, "blocks.{}.ls2.gamma", SlotName::kSometimes},

              {Slot::kNorm, "norm.*"},
              {Slot::kClassifier, "linear_head.*", SlotName::kSometimes},
              {Slot::kClassifier, "head.*", SlotName::kSometimes},
          },
      .ignored = {"dino_head.*", "ibot_head.*"},
      .training_head = {"DINO's projection head",
                        "backbone.cls_token",
                        {"head.mlp.", "head.last_layer.", "head.prototypes.", "dino_head.", "ibot_head."}},
      .positions = PositionFilter::kBicubicOffset,
      .image = {.crop_fraction = 224.0 / 256, .mean = kImageNetMean, .deviation = kImageNetDeviation},
      .settle = SettleDinov2,
  };
  return family;
}

const Family& Dinov3Hub() {
  static const Family family = {
      .name = "dinov3",
      .title = "facebookresearch DINOv3",
      .configuration_names = {"dinov3_vit*"},
      .prefixes = {"backbone.", "teacher.backbone."},
      .slots =
          {
              {Slot::kClassToken, "cls_token"},
              {Slot::kRegisters, "storage_tokens"},
              {Slot::kRotaryPeriods, "rope_embed.periods"},
              {Slot::kPatch, "patch_embed.proj.*"},

              {Slot::kNorm1, "blocks.{}.norm1.*"},
              {Slot::kQkv, "blocks.{}.attn.qkv.*"},
              {Slot::kBiasMask, "blocks.{}.attn.qkv.bias_mask", SlotName::kSometimes},
              {Slot::kProjection, "blocks.{}.attn.proj.*"},
              {Slot::kScale1, "blocks.{}.ls1.gamma", SlotName::kSometimes},
              {Slot::kNorm2, "blocks.{}.norm2.*"},
              {Slot::kFc1, "blocks.{}.mlp.fc1.*", SlotName::kSometimes},
              {Slot::kFc1Gate, "blocks.{}.mlp.w1.*", SlotName::kSometimes},
              {Slot::kFc1Value, "blocks.{}.mlp.w2.*", SlotName::kSometimes},
              {Slot::kFc2, "blocks.{}.mlp.fc2.*"},
              {Slot::kFc2, "blocks.{}.mlp.w3.*"},
              {Slot::kScale2, "blocks.{}.ls2.gamma", SlotName::kSometimes},

              {Slot::kNorm, "norm.*"},
              {Slot::kClassifier, "linear_head.*", SlotName::kSometimes},
          },
      .ignored = {"local_cls_norm.*", "dino_head.*", "ibot_head.*", "projectors.*"},
      .norm_epsilon = 1e-5f,
      .image = {.resize = ImageConfig::Resize::kSquash,
                .mean = kImageNetMean,
                .deviation = kImageNetDeviation},
      .settle = SettleDinov3,
  };
  return family;
}

}  // namespace vitrine
