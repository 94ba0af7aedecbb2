// SPDX-License-Identifier: Apache-2.0
// DINO and DINOv2 as facebookresearch's torch hub has them (dinov2/models/vision_transformer.py): timm's
// names but for registers and the gated MLP, and another way to resample positions.
#include "converter/family/families.h"
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

void Settle(const Configuration&, const Names& names, Layout* layout) {
  // hubconf.py: models with registers interpolate with antialias and without the offset of 0.1.
  if (names.Has(Slot::kRegisters)) layout->positions = PositionFilter::kBicubicAntialiased;
}

}  // namespace

const Family& DinoHub() {
  static const Family family = {
      .name = "dinov2",
      .title = "facebookresearch DINOv2",
      .config_names = {"DinoVisionTransformer", "dinov2_vit*"},
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
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
