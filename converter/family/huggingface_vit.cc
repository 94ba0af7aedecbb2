// SPDX-License-Identifier: Apache-2.0
// Hugging Face ViT, ViT-MSN, DeiT and I-JEPA
// (transformers/models/{vit,vit_msn,deit,ijepa}): one set of names.
#include "converter/error.h"
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

/// Returns the names on the hub, then those that transformers 5 uses in memory.
std::vector<SlotName> Slots(SlotName::Presence class_token, std::vector<SlotName> more) {
  std::vector<SlotName> slots = {
      {Slot::kClassToken, "embeddings.cls_token", class_token},
      {Slot::kPositions, "embeddings.position_embeddings"},
      {Slot::kPatch, "embeddings.patch_embeddings.projection.*"},

      {Slot::kNorm1, "encoder.layer.{}.layernorm_before.*"},
      {Slot::kQuery, "encoder.layer.{}.attention.attention.query.*"},
      {Slot::kKey, "encoder.layer.{}.attention.attention.key.*"},
      {Slot::kValue, "encoder.layer.{}.attention.attention.value.*"},
      {Slot::kProjection, "encoder.layer.{}.attention.output.dense.*"},
      {Slot::kNorm2, "encoder.layer.{}.layernorm_after.*"},
      {Slot::kFc1, "encoder.layer.{}.intermediate.dense.*"},
      {Slot::kFc2, "encoder.layer.{}.output.dense.*"},

      {Slot::kNorm1, "layers.{}.layernorm_before.*"},
      {Slot::kQuery, "layers.{}.attention.q_proj.*"},
      {Slot::kKey, "layers.{}.attention.k_proj.*"},
      {Slot::kValue, "layers.{}.attention.v_proj.*"},
      {Slot::kProjection, "layers.{}.attention.o_proj.*"},
      {Slot::kNorm2, "layers.{}.layernorm_after.*"},
      {Slot::kFc1, "layers.{}.mlp.fc1.*"},
      {Slot::kFc2, "layers.{}.mlp.fc2.*"},

      {Slot::kNorm, "layernorm.*"},
      {Slot::kPooler, "pooler.dense.*", SlotName::kSometimes},
  };
  slots.insert(slots.end(), more.begin(), more.end());
  return slots;
}

void Settle(const Configuration& configuration, const Names& names, Layout*) {
  const std::string act = configuration.model.Text({"pooler_act"}).value_or("tanh");
  if (names.Has(Slot::kPooler) && act != "tanh") Fail("pooler_act ", act, " is not supported, only tanh");
}

void SettleVit(const Configuration& configuration, const Names& names, Layout* layout) {
  Settle(configuration, names, layout);
  const bool msn = configuration.Names("vit_msn") || configuration.Names("ViTMSN*");
  if (msn && !configuration.model.has("layer_norm_eps")) layout->config.norm_epsilon = 1e-6f;
}

void SettleDeit(const Configuration& configuration, const Names& names, Layout* layout) {
  Settle(configuration, names, layout);
  const bool two_heads = configuration.Names("DeiTForImageClassificationWithTeacher");
  if (two_heads && !names.Has(Slot::kDistillationClassifier)) {
    Fail("checkpoint has no ", names.Name(Slot::kDistillationClassifier, Part::kWeight));
  }
}

constexpr ImageDefaults kVitImage = {.resize = ImageConfig::Resize::kSquash,
                                     .interpolation = 2,
                                     .crop_floor = true,
                                     .mean = kHalf,
                                     .deviation = kHalf};

}  // namespace

const Family& HuggingFaceVit() {
  static const Family family = {
      .name = "hf-vit",
      .title = "Hugging Face ViT",
      .configuration_names = {"vit", "vit_msn", "ViTModel", "ViTFor*", "ViTMSN*", "vit_mae", "ViTMAE*"},
      .prefixes = {"vit."},
      .slots = Slots(SlotName::kAlways, {{Slot::kClassifier, "classifier.*", SlotName::kSometimes}}),
      .ignored = {"decoder.*"},
      .norm_epsilon = 1e-12f,
      .image = kVitImage,
      .settle = SettleVit,
  };
  return family;
}

const Family& HuggingFaceDeit() {
  static const Family family = {
      .name = "hf-deit",
      .title = "Hugging Face DeiT",
      .configuration_names = {"deit", "DeiTModel", "DeiTFor*"},
      .prefixes = {"deit."},
      .slots = Slots(SlotName::kAlways,
                     {{Slot::kDistillationToken, "embeddings.distillation_token"},
                      {Slot::kClassifier, "cls_classifier.*", SlotName::kSometimes},
                      {Slot::kClassifier, "classifier.*", SlotName::kSometimes},
                      {Slot::kDistillationClassifier, "distillation_classifier.*", SlotName::kSometimes}}),
      .ignored = {"decoder.*"},
      .norm_epsilon = 1e-12f,
      .image = {.resize = ImageConfig::Resize::kSquash,
                .crop_fraction = 224.0 / 256,
                .crop_floor = true,
                .mean = kImageNetMean,
                .deviation = kImageNetDeviation},
      .settle = SettleDeit,
  };
  return family;
}

const Family& HuggingFaceIJepa() {
  static const Family family = {
      .name = "hf-ijepa",
      .title = "Hugging Face I-JEPA",
      .configuration_names = {"ijepa", "IJepa*"},
      .prefixes = {"ijepa."},
      .slots = Slots(SlotName::kSometimes, {{Slot::kClassifier, "classifier.*", SlotName::kSometimes}}),
      .norm_epsilon = 1e-12f,
      .image = kVitImage,
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
