// SPDX-License-Identifier: Apache-2.0
// Hugging Face DINOv2, with and without registers (transformers/models/{dinov2,dinov2_with_registers}).
#include "converter/family/families.h"
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

void Settle(const Configuration&, const Names& names, Layout* layout) {
  if (names.Has(Slot::kRegisters)) layout->positions = PositionFilter::kBicubicAntialiased;
}

}  // namespace

const Family& HuggingFaceDinov2() {
  static const Family family = {
      .name = "hf-dinov2",
      .title = "Hugging Face DINOv2",
      .config_names = {"dinov2", "dinov2_with_registers", "Dinov2*"},
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
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
