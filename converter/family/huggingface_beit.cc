// SPDX-License-Identifier: Apache-2.0
// Hugging Face BEiT and data2vec-vision (transformers/models/{beit,data2vec}): relative position bias, one
// for each block or one for all.
#include <utility>

#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

/// Only a model with mean pooling has a norm after it; its encoder then has none.
void Settle(const Configuration& configuration, const Names& names, Layout* layout) {
  for (const auto& [key, slot] : {std::pair("use_absolute_position_embeddings", Slot::kPositions),
                                  std::pair("use_shared_relative_position_bias", Slot::kSharedPositionBias),
                                  std::pair("use_relative_position_bias", Slot::kPositionBias)}) {
    if (configuration.model.Flag({key}).value_or(false)) names.Require(slot);
  }
  layout->bias_resizes = true;
  const bool mean = names.Has(Slot::kPoolNorm) && !names.Has(Slot::kNorm);
  layout->config.pooling = mean ? Pooling::kPatchMean : Pooling::kClassToken;
}

}  // namespace

const Family& HuggingFaceBeit() {
  static const Family family = {
      .name = "hf-beit",
      .title = "Hugging Face BEiT",
      .configuration_names = {"beit", "Beit*", "data2vec-vision", "Data2VecVision*"},
      .prefixes = {"beit.", "data2vec_vision."},
      .slots =
          {
              {Slot::kClassToken, "embeddings.cls_token"},
              {Slot::kPositions, "embeddings.position_embeddings", SlotName::kSometimes},
              {Slot::kPatch, "embeddings.patch_embeddings.projection.*"},
              {Slot::kSharedPositionBias, "encoder.relative_position_bias.relative_position_bias_table",
               SlotName::kSometimes},

              {Slot::kNorm1, "encoder.layer.{}.layernorm_before.*"},
              {Slot::kQuery, "encoder.layer.{}.attention.attention.query.*"},
              {Slot::kKey, "encoder.layer.{}.attention.attention.key.*"},
              {Slot::kValue, "encoder.layer.{}.attention.attention.value.*"},
              {Slot::kPositionBias,
               "encoder.layer.{}.attention.attention.relative_position_bias.relative_position_bias_table",
               SlotName::kSometimes},
              {Slot::kProjection, "encoder.layer.{}.attention.output.dense.*"},
              {Slot::kScale1, "encoder.layer.{}.lambda_1", SlotName::kSometimes},
              {Slot::kNorm2, "encoder.layer.{}.layernorm_after.*"},
              {Slot::kFc1, "encoder.layer.{}.intermediate.dense.*"},
              {Slot::kFc2, "encoder.layer.{}.output.dense.*"},
              {Slot::kScale2, "encoder.layer.{}.lambda_2", SlotName::kSometimes},

              {Slot::kNorm, "layernorm.*", SlotName::kSometimes},
              {Slot::kPoolNorm, "pooler.layernorm.*", SlotName::kSometimes},
              {Slot::kClassifier, "classifier.*", SlotName::kSometimes},
          },
      .norm_epsilon = 1e-12f,
      .image = {.resize = ImageConfig::Resize::kSquash,
                .crop_fraction = 224.0 / 256,
                .crop_floor = true,
                .mean = kHalf,
                .deviation = kHalf},
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
