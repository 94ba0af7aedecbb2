// SPDX-License-Identifier: Apache-2.0
// torchvision's vit_b_16 and similar models (torchvision/models/vision_transformer.py), with the old and the
// new names of the MLP.
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {

const Family& Torchvision() {
  static const Family family = {
      .name = "torchvision",
      .title = "torchvision VisionTransformer",
      .configuration_names = {"torchvision.*", "vit_b_*", "vit_l_*", "vit_h_*"},
      .slots =
          {
              {Slot::kClassToken, "class_token"},
              {Slot::kPositions, "encoder.pos_embedding"},
              {Slot::kPatch, "conv_proj.*"},

              {Slot::kNorm1, "encoder.layers.encoder_layer_{}.ln_1.*"},
              {Slot::kQkv, "encoder.layers.encoder_layer_{}.self_attention.in_proj_*"},
              {Slot::kProjection, "encoder.layers.encoder_layer_{}.self_attention.out_proj.*"},
              {Slot::kNorm2, "encoder.layers.encoder_layer_{}.ln_2.*"},
              {Slot::kFc1, "encoder.layers.encoder_layer_{}.mlp.0.*"},
              {Slot::kFc1, "encoder.layers.encoder_layer_{}.mlp.linear_1.*"},
              {Slot::kFc2, "encoder.layers.encoder_layer_{}.mlp.3.*"},
              {Slot::kFc2, "encoder.layers.encoder_layer_{}.mlp.linear_2.*"},

              {Slot::kNorm, "encoder.ln.*"},
              {Slot::kPooler, "heads.pre_logits.*", SlotName::kSometimes},
              {Slot::kClassifier, "heads.head.*", SlotName::kSometimes},
              {Slot::kClassifier, "heads.*", SlotName::kSometimes},
              {Slot::kClassifier, "heads.0.*", SlotName::kSometimes},
          },
      .positions = PositionFilter::kBicubicAlignedCorners,
      .image = {.crop_fraction = 224.0 / 256,
                .interpolation = 2,
                .mean = kImageNetMean,
                .deviation = kImageNetDeviation},
  };
  return family;
}

}  // namespace vitrine
