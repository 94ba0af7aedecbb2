// SPDX-License-Identifier: Apache-2.0
// Hugging Face DINOv2, with and without registers, and DINOv3, with rotary positions
// (transformers/models/{dinov2,dinov2_with_registers,dinov3_vit}).
#include "converter/family/names.h"
#include "converter/family/table.h"
#include "converter/vit/positions.h"

namespace vitrine {
namespace {

void SettleDinov2(const Configuration&, const Names& names, Layout* layout) {
  if (names.Has(Slot::kRegisters)) layout->positions = PositionFilter::kBicubicAntialiased;
}

void SettleDinov3(const Configuration& configuration, const Names&, Layout* layout) {
  const JsonObject& model = configuration.model;
  const double theta = model.Number({"rope_theta"}).value_or(100);
  layout->config.rotary = MakeRotary(theta, layout->config.head_size, /*centered=*/true);
  const bool biased = !model.empty();
  layout->linear_bias =
      model.Flag({"proj_bias"}).value_or(biased) && model.Flag({"mlp_bias"}).value_or(biased);
}

}  // namespace

const Family& HuggingFaceDinov2() {
  static const Family family = {
      .name = "hf-dinov2",
      .title = "Hugging Face DINOv2",
      .configuration_names = {"dinov2", "dinov2_with_registers", "Dinov2*"},
      .prefixes = {"dinov2.", "dinov2_with_registers."},
      .slots =
          {
              {Slot::kClassToken, "embeddings.cls_token"},
              {Slot::kRegisters, "embeddings.register_tokens", SlotName::kSometimes},
              {Slot::kPositions, "embeddings.position_embeddings"},
              {Slot::kPatch, "embeddings.patch_embeddings.projection.*"},

              {Slot::kNorm1, "encoder.layer.{}.norm1.*"},
              {Slot::kQuery, "encoder.layer.{}.attention.attention.query.*"},
              {Slot::kQuery, "encoder.layer.{}.attention.q_proj.*"},
              {Slot::kKey, "encoder.layer.{}.attention.attention.key.*"},
              {Slot::kKey, "encoder.layer.{}.attention.k_proj.*"},
              {Slot::kValue, "encoder.layer.{}.attention.attention.value.*"},
              {Slot::kValue, "encoder.layer.{}.attention.v_proj.*"},
              {Slot::kProjection, "encoder.layer.{}.attention.output.dense.*"},
              {Slot::kProjection, "encoder.layer.{}.attention.o_proj.*"},
              {Slot::kScale1, "encoder.layer.{}.layer_scale1.lambda1"},
              {Slot::kNorm2, "encoder.layer.{}.norm2.*"},
              {Slot::kFc1, "encoder.layer.{}.mlp.fc1.*", SlotName::kSometimes},
              {Slot::kFc1, "encoder.layer.{}.mlp.weights_in.*", SlotName::kSometimes},
              {Slot::kFc1Gate, "encoder.layer.{}.mlp.gate_proj.*", SlotName::kSometimes},
              {Slot::kFc1Value, "encoder.layer.{}.mlp.up_proj.*", SlotName::kSometimes},
              {Slot::kFc2, "encoder.layer.{}.mlp.fc2.*"},
              {Slot::kFc2, "encoder.layer.{}.mlp.weights_out.*"},
              {Slot::kFc2, "encoder.layer.{}.mlp.down_proj.*"},
              {Slot::kScale2, "encoder.layer.{}.layer_scale2.lambda1"},

              {Slot::kNorm, "layernorm.*"},
              {Slot::kClassifier, "classifier.*", SlotName::kSometimes},
          },
      .image = {.crop_fraction = 224.0 / 256,
                .crop_floor = true,
                .mean = kImageNetMean,
                .deviation = kImageNetDeviation},
      .settle = SettleDinov2,
  };
  return family;
}

const Family& HuggingFaceDinov3() {
  static const Family family = {
      .name = "hf-dinov3",
      .title = "Hugging Face DINOv3",
      .configuration_names = {"dinov3_vit", "DINOv3ViT*"},
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
              // The one layer before the activation, or the value that the gate multiplies.
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
      .settle = SettleDinov3,
  };
  return family;
}

}  // namespace vitrine
