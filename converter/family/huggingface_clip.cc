// SPDX-License-Identifier: Apache-2.0
// Hugging Face CLIP's and SigLIP's image encoders (transformers/models/{clip,siglip,siglip2}), alone or in a
// checkpoint of the whole model, without its text encoder.
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

std::vector<SlotName> Slots(std::vector<SlotName> more) {
  std::vector<SlotName> slots = {
      {Slot::kPositions, "embeddings.position_embedding.weight"},
      {Slot::kPatch, "embeddings.patch_embedding.*"},

      {Slot::kNorm1, "encoder.layers.{}.layer_norm1.*"},
      {Slot::kQuery, "encoder.layers.{}.self_attn.q_proj.*"},
      {Slot::kKey, "encoder.layers.{}.self_attn.k_proj.*"},
      {Slot::kValue, "encoder.layers.{}.self_attn.v_proj.*"},
      {Slot::kProjection, "encoder.layers.{}.self_attn.out_proj.*"},
      {Slot::kNorm2, "encoder.layers.{}.layer_norm2.*"},
      {Slot::kFc1, "encoder.layers.{}.mlp.fc1.*"},
      {Slot::kFc2, "encoder.layers.{}.mlp.fc2.*"},

      {Slot::kNorm, "post_layernorm.*"},
      {Slot::kClassifier, "classifier.*", SlotName::kSometimes},
  };
  slots.insert(slots.end(), more.begin(), more.end());
  return slots;
}

/// CLIPForImageClassification reads the mean of the patch tokens after the last block, without the norm.
void SettleClip(const Configuration&, const Names& names, Layout* layout) {
  layout->pooler_bias = layout->pooler_tanh = false;
  if (!names.Has(Slot::kClassifier)) return;
  layout->config.pooling = Pooling::kPatchMean;
  layout->final_norm = false;
  names.LeaveOut(Slot::kNorm);
}

/// SiglipForImageClassification reads the mean of the patch tokens and does not need attention pooling.
/// SigLIP 2 with images of any shape (NaFlex) takes patches as rows and resamples positions with another
/// filter.
void SettleSiglip(const Configuration&, const Names& names, Layout* layout) {
  if (names.Shape(Slot::kPatch, Part::kWeight).size() == 2) {
    layout->patch_channels_last = true;
    layout->positions = PositionFilter::kBilinearAntialiased;
    layout->image.interpolation = 2;
    layout->remark =
        "the model takes images of any shape; the .vit file has one shape, which --image-size sets";
  }
  if (!names.Has(Slot::kClassifier)) return;
  layout->config.pooling = Pooling::kPatchMean;
  for (int slot = static_cast<int>(Slot::kLatent); slot <= static_cast<int>(Slot::kLatentFc2); ++slot) {
    names.LeaveOut(static_cast<Slot>(slot));
  }
}

}  // namespace

const Family& HuggingFaceClip() {
  static const Family family = {
      .name = "hf-clip",
      .title = "Hugging Face CLIP",
      .configuration_names = {"clip", "clip_vision_model", "CLIP*"},
      .prefixes = {"vision_model."},
      .slots = Slots({{Slot::kClassToken, "embeddings.class_embedding"},
                      {Slot::kPreNorm, "pre_layrnorm.*"},
                      {Slot::kPooler, "visual_projection.*", SlotName::kSometimes}}),
      .ignored = {"text_model.*", "text_projection.*", "logit_scale"},
      .activation = Activation::kQuickGelu,
      .norm_epsilon = 1e-5f,
      .image = {.crop_floor = true, .mean = kClipMean, .deviation = kClipDeviation},
      .settle = SettleClip,
  };
  return family;
}

const Family& HuggingFaceSiglip() {
  static const Family family = {
      .name = "hf-siglip",
      .title = "Hugging Face SigLIP",
      .configuration_names = {"siglip", "siglip_vision_model", "siglip2", "siglip2_vision_model", "Siglip*"},
      .prefixes = {"vision_model."},
      .slots = Slots({{Slot::kLatent, "head.probe", SlotName::kSometimes},
                      {Slot::kLatentQkv, "head.attention.in_proj_*", SlotName::kSometimes},
                      {Slot::kLatentProjection, "head.attention.out_proj.*", SlotName::kSometimes},
                      {Slot::kLatentNorm, "head.layernorm.*", SlotName::kSometimes},
                      {Slot::kLatentFc1, "head.mlp.fc1.*", SlotName::kSometimes},
                      {Slot::kLatentFc2, "head.mlp.fc2.*", SlotName::kSometimes}}),
      .ignored = {"text_model.*", "logit_scale", "logit_bias"},
      .activation = Activation::kGeluTanh,
      .image = {.resize = ImageConfig::Resize::kSquash,
                .crop_floor = true,
                .mean = kHalf,
                .deviation = kHalf},
      .settle = SettleSiglip,
  };
  return family;
}

}  // namespace vitrine
