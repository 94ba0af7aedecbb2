// SPDX-License-Identifier: Apache-2.0
// Hugging Face DINOv3 ViT (transformers/models/dinov3_vit): rotary positions, no position table.
#include "converter/family/families.h"
#include "converter/family/names.h"
#include "converter/family/rotary_layout.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

void Settle(const Configuration& configuration, const Names&, Layout* layout) {
  const Settings& model = configuration.model;
  const double theta = model.Number({"rope_theta"}).value_or(100);
  layout->config.rotary = MakeRotary(theta, layout->config.head_size, /*centered=*/true);
  const bool biased = !model.empty();
  layout->linear_bias =
      model.Flag({"proj_bias"}).value_or(biased) && model.Flag({"mlp_bias"}).value_or(biased);
}

}  // namespace

const Family& HuggingFaceDinov3() {
  static const Family family = {
      .name = "hf-dinov3",
      .title = "Hugging Face DINOv3",
      .config_names = {"dinov3_vit", "DINOv3ViT*"},
      .prefixes = {"model."},
      .slots =
          {
              {Slot::kClassToken, "embeddings.cls_token"},
              {Slot::kRegisters, "embeddings.register_tokens", SlotName::kSometimes},
              {Slot::kPatch, "embeddings.patch_embeddings.*"},

              {Slot::kNorm1, "layer.{}.norm1.*"},
              {Slot::kQuery, "layer.{}.attention.q_proj.*"},
              {Slot::kKey, "layer.{}.attention.k_proj.*"},
              {Slot::kValue, "layer.{}.attention.v_proj.*"},
              {Slot::kProjection, "layer.{}.attention.o_proj.*"},
              {Slot::kScale1, "layer.{}.layer_scale1.lambda1"},
              {Slot::kNorm2, "layer.{}.norm2.*"},
              {Slot::kFc1Gate, "layer.{}.mlp.gate_proj.*", SlotName::kSometimes},
              // The one layer before the activation, or what the gate multiplies.
              {Slot::kFc1, "layer.{}.mlp.up_proj.*"},
              {Slot::kFc2, "layer.{}.mlp.down_proj.*"},
              {Slot::kScale2, "layer.{}.layer_scale2.lambda1"},

              {Slot::kNorm, "norm.*"},
          },
      .hidden_act_gates = true,
      .norm_epsilon = 1e-5f,
      .image = {.resize = ImageConfig::Resize::kSquash,
                .interpolation = 2,
                .crop_floor = true,
                .mean = kImageNetMean,
                .deviation = kImageNetDeviation},
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
