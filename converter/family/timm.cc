// SPDX-License-Identifier: Apache-2.0
// timm VisionTransformer and VisionTransformerDistilled (timm/models/vision_transformer.py, deit.py), from
// the first releases to 1.0, and models trained with code derived from it (DeiT, DeiT-III, MAE, AugReg,
// SigLIP and CLIP towers).
#include "converter/error.h"
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

/// timm chooses these defaults by the pretrained model's name; this function by the tensors that the model
/// has.
void ChooseImageDefaults(const Configuration& configuration, const Names& names, Layout* layout) {
  ImageDefaults& image = layout->image;
  const bool deit = names.Has(Slot::kDistillationToken) || configuration.Names("deit*");
  const bool dinov2 =
      layout->config.patch_height == 14 && names.Has(Slot::kScale1) && !names.Has(Slot::kLatent);
  if (names.Has(Slot::kPreNorm)) {
    image.mean = kClipMean;
    image.deviation = kClipDeviation;
    image.crop_fraction = 1;
  } else if (deit || dinov2 || names.Has(Slot::kScale1)) {
    image.mean = kImageNetMean;
    image.deviation = kImageNetDeviation;
    if (!deit) image.crop_fraction = 1;
  }
}

/// Sets what timm's model functions set besides the sizes; a hub config.json has only the function's name.
void ReadArchitecture(const JsonObject& model, const Names& names, VitConfig* config) {
  const std::string name = model.Text({"architecture"}).value_or("");
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  const bool torch_epsilon = names.Has(Slot::kPreNorm) || names.Has(Slot::kAttentionNorm);  // CLIP and BEiT-3
  if (!model.has("norm_eps") && torch_epsilon) config->norm_epsilon = 1e-5f;
  if (model.has("act_layer")) return;
  if (has("quickgelu")) config->activation = Activation::kQuickGelu;
  const bool late_siglip = has("patch32_siglip") || has("large_patch16_siglip_512") || has("giantopt") ||
                           has("large_patch16_siglip_gap_512") || has("so400m_patch16_siglip");
  if (late_siglip) config->activation = Activation::kGeluTanh;
}

void Settle(const Configuration& configuration, const Names& names, Layout* layout) {
  const JsonObject& model = configuration.model;
  if (model.Flag({"pool_include_prefix"}).value_or(false)) {
    Fail("pool_include_prefix is not supported: vitrine computes the mean of the patches alone");
  }
  const std::string norm = model.Text({"norm_layer"}).value_or("");
  if (norm.find("rms") != std::string::npos) Fail("norm_layer ", norm, " is not supported, only LayerNorm");
  // If there are arguments, a missing one has the default of VisionTransformer.
  const bool has_arguments = model.has("embed_dim") || model.has("depth");
  const bool class_token = model.Flag({"class_token"}).value_or(has_arguments);
  if (class_token && !names.Has(Slot::kClassToken)) {
    Fail("checkpoint has no ", names.Name(Slot::kClassToken, Part::kWeight),
         ", which class_token=True needs");
  }
  if (names.Has(Slot::kDistillationToken)) {
    if (layout->config.classes > 0 && !names.Has(Slot::kDistillationClassifier)) {
      Fail("checkpoint has no ", names.Name(Slot::kDistillationClassifier, Part::kWeight));
    }
    layout->config.pooling = Pooling::kClassAndDistillation;
  }
  if (model.Flag({"final_norm"}) == false) layout->final_norm = false;
  ReadArchitecture(model, names, &layout->config);
  ChooseImageDefaults(configuration, names, layout);
}

}  // namespace

const Family& Timm() {
  static const Family family = {
      .name = "timm",
      .title = "timm VisionTransformer",
      .configuration_names = {"vit_*", "deit_*", "deit3_*", "VisionTransformer", "VisionTransformerDistilled",
                              "vit (timm*", "timm.*", "flexivit_*", "beit3_*"},
      .prefixes = {"visual.trunk.", "backbone.", "model.", "base_model.", "encoder."},
      .slots =
          {
              {Slot::kClassToken, "cls_token", SlotName::kSometimes},
              {Slot::kDistillationToken, "dist_token", SlotName::kSometimes},
              {Slot::kRegisters, "reg_token", SlotName::kSometimes},
              {Slot::kPositions, "pos_embed"},
              {Slot::kPatch, "patch_embed.proj.*"},
              {Slot::kPatchNorm, "patch_embed.norm.*", SlotName::kSometimes},
              {Slot::kPreNorm, "norm_pre.*", SlotName::kSometimes},

              {Slot::kNorm1, "blocks.{}.norm1.*"},
              {Slot::kQkv, "blocks.{}.attn.qkv.*"},
              {Slot::kQueryNorm, "blocks.{}.attn.q_norm.*", SlotName::kSometimes},
              {Slot::kKeyNorm, "blocks.{}.attn.k_norm.*", SlotName::kSometimes},
              {Slot::kAttentionNorm, "blocks.{}.attn.norm.*", SlotName::kSometimes},
              {Slot::kProjection, "blocks.{}.attn.proj.*"},
              {Slot::kScale1, "blocks.{}.ls1.gamma", SlotName::kSometimes},
              {Slot::kScale1, "blocks.{}.gamma_1", SlotName::kSometimes},
              {Slot::kNorm2, "blocks.{}.norm2.*"},
              {Slot::kFc1, "blocks.{}.mlp.fc1.*", SlotName::kSometimes},
              {Slot::kFc1Gate, "blocks.{}.mlp.fc1_g.*", SlotName::kSometimes},
              {Slot::kFc1Value, "blocks.{}.mlp.fc1_x.*", SlotName::kSometimes},
              {Slot::kMlpNorm, "blocks.{}.mlp.norm.*", SlotName::kSometimes},
              {Slot::kFc2, "blocks.{}.mlp.fc2.*"},
              {Slot::kScale2, "blocks.{}.ls2.gamma", SlotName::kSometimes},
              {Slot::kScale2, "blocks.{}.gamma_2", SlotName::kSometimes},

              {Slot::kNorm, "norm.*", SlotName::kSometimes},
              {Slot::kPoolNorm, "fc_norm.*", SlotName::kSometimes},
              {Slot::kPooler, "pre_logits.fc.*", SlotName::kSometimes},
              {Slot::kClassifier, "head.*", SlotName::kSometimes},
              {Slot::kDistillationClassifier, "head_dist.*", SlotName::kSometimes},

              {Slot::kLatent, "attn_pool.latent", SlotName::kSometimes},
              {Slot::kLatentQuery, "attn_pool.q.*", SlotName::kSometimes},
              {Slot::kLatentKeyValue, "attn_pool.kv.*", SlotName::kSometimes},
              {Slot::kLatentProjection, "attn_pool.proj.*", SlotName::kSometimes},
              {Slot::kLatentNorm, "attn_pool.norm.*", SlotName::kSometimes},
              {Slot::kLatentFc1, "attn_pool.mlp.fc1.*", SlotName::kSometimes},
              {Slot::kLatentFc2, "attn_pool.mlp.fc2.*", SlotName::kSometimes},
          },
      .ignored = {"decoder_*", "head.mlp.*", "head.last_layer.*", "dino_head.*", "ibot_head.*", "logit_scale",
                  "logit_bias", "text.*"},
      .positions = PositionFilter::kBicubicAntialiased,
      .image = {.crop_fraction = 0.9, .mean = kHalf, .deviation = kHalf},
      .settle = Settle,
  };
  return family;
}

}  // namespace vitrine
