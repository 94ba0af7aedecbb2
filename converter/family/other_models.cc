// SPDX-License-Identifier: Apache-2.0
// Models that people mistake for a plain ViT, by name.
#include <algorithm>
#include <array>
#include <string_view>

#include "converter/checkpoint/checkpoint.h"
#include "converter/error.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

/// A kind of model, recognized by a name in its configuration or by parts of its tensors' names. All parts
/// must occur, each in any tensor. The first entry that matches counts.
struct OtherModel {
  const char* configuration_name;    ///< for Configuration::Names, or null
  std::array<const char*, 3> parts;  ///< null after the last
  const char* what;                  ///< "this is ..."
};

constexpr OtherModel kOtherModels[] = {
    {"swinv2*", {"attn.cpb_mlp"}, "a Swin Transformer V2: its windowed attention is not supported"},
    {"swin*",
     {"relative_position_bias_table", "layers.0.blocks.0"},
     "a Swin Transformer: its windowed attention is not supported"},
    // ONNX exporters remove the position table.
    {nullptr,
     {"layers.0.blocks.0.", "layers.1.downsample.norm"},
     "a Swin Transformer: its windowed attention is not supported"},
    {nullptr,
     {"relative_position_bias_table", "features."},
     "a Swin Transformer: its windowed attention is not supported"},
    {"maxvit*", {"attn_grid", "relative_position"}, "a MaxViT: its windowed attention is not supported"},
    {"maxvit*", {"grid_attention", "relative_position"}, "a MaxViT: its windowed attention is not supported"},
    {"coatnet*", {"stages.0.blocks.0.conv2_kxk", "rel_pos"}, "a CoAtNet: its convolutions are not supported"},
    {"gcvit*", {"stages.0.global_block"}, "a GC ViT: its windowed attention is not supported"},
    {"vit_relpos_*", {"attn.rel_pos."}, "a ViT with timm's own relative positions: they are not supported"},
    {"vit_srelpos_*",
     {"shared_rel_pos."},
     "a ViT with timm's own relative positions: they are not supported"},
    {nullptr,
     {"rel_pos_h"},
     "a model with decomposed relative positions (SAM, ViTDet): they are not supported"},
    {"dinov3_convnext", {"DINOv3ConvNext"}, "a ConvNeXt: a convolutional network, not a Vision Transformer"},
    {"*_rope_mixed*",
     {"rope.freqs"},
     "a model with learnt rotary positions (RoPE-Mixed): they are not supported"},
    {"*_r50_s16*",
     {"patch_embed.backbone."},
     "a hybrid Vision Transformer: its convolutional stem is not supported"},
    {"vit-hybrid",
     {"patch_embeddings.backbone."},
     "a hybrid Vision Transformer: its convolutional stem is not supported"},
    {nullptr, {"conv_root"}, "a hybrid Vision Transformer: its convolutional stem is not supported"},
    {nullptr, {".experts."}, "a Mixture of Experts: its routing is not supported"},
    {nullptr, {"mlp.gate.wg"}, "a Mixture of Experts: its routing is not supported"},
    {nullptr, {"MoeMlp"}, "a Mixture of Experts: its routing is not supported"},
    {nullptr, {"Moe/Mlp"}, "a Mixture of Experts: its routing is not supported"},
    {"naflexvit_*", {"embeds.proj."}, "a NaFlexViT: its names and image sizes are not supported"},
    {"vit_pe_*", {}, "a Perception Encoder: its rotary positions are not supported"},
    {nullptr, {"attn.lambda_q1"}, "a ViT with differential attention, which is not supported"},
    {nullptr, {"blocks.0.attns."}, "a ViT with parallel layers, which are not supported"},
    {nullptr, {"attn_out_proj", "in_proj"}, "a ViT with parallel layers, which are not supported"},
    {"xcit*", {"cls_attn_blocks"}, "an XCiT: its attention between channels is not supported"},
    {"volo*", {"post_network."}, "a VOLO: its outlook attention is not supported"},
    {"tnt*", {"attn_in.", "attn_out."}, "a Transformer in Transformer: its inner attention is not supported"},
    {"crossvit*", {"blocks.0.fusion."}, "a CrossViT: its two streams are not supported"},
    {"convit*", {"attn.gating_param"}, "a ConViT: its gated positions are not supported"},
    {"pit_*", {"transformers.0.blocks."}, "a PiT: its pyramid of resolutions is not supported"},
    {nullptr, {"levels.0.transformer_encoder"}, "a NesT: its pyramid of resolutions is not supported"},
    {"davit*", {"stages.0.blocks.0.1.cpe1"}, "a DaViT: its attention between channels is not supported"},
    {"hiera*",
     {"blocks.0.attn.qkv", "patch_embed.proj", "head.fc.weight"},
     "a Hiera: its pyramid of resolutions is not supported"},
    {nullptr, {"blocks_token_only"}, "a CaiT: its class attention is not supported"},
    {"twins*", {"attn.sr.", "pos_block."}, "a Twins: its pyramid of resolutions is not supported"},
    {"pvt*", {"attn.sr."}, "a Pyramid Vision Transformer: its pyramid of resolutions is not supported"},
    {"segformer",
     {"encoder.block.0.0.", "dwconv"},
     "a SegFormer: its pyramid of resolutions is not supported"},
    {"efficientformer*",
     {"token_mixer", "attention_biases"},
     "an EfficientFormer: its convolutions and attention biases are not supported"},
    {"tiny_vit*",
     {"attention_biases", "local_conv"},
     "a TinyViT: its convolutions and attention biases are not supported"},
    {"efficientvit*",
     {"attention_biases", "mixer.m."},
     "an EfficientViT: its convolutions and attention biases are not supported"},
    {"levit*", {"attention_biases"}, "a LeViT: its convolutions and attention biases are not supported"},
    {"mobilevit*", {"conv_kxk"}, "a MobileViT: its convolutions are not supported"},
    {"convnext*", {"stages.0", ".dwconv."}, "a ConvNeXt: a convolutional network, not a Vision Transformer"},
    {"convnext*",
     {"conv_dw", "stages.0.blocks.0"},
     "a ConvNeXt: a convolutional network, not a Vision Transformer"},
    {"resnet*", {"layer1.0.conv1.weight"}, "a ResNet: a convolutional network, not a Vision Transformer"},
    {"mixer*", {"mlp_tokens.fc1"}, "an MLP-Mixer: it has no attention"},
    {nullptr, {"token_mixing"}, "an MLP-Mixer: it has no attention"},
};

bool Contains(const checkpoint::Checkpoint& checkpoint, std::string_view part) {
  const auto& tensors = checkpoint.tensors();
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const auto& entry) { return entry.first.find(part) != std::string::npos; });
}

bool HasAttention(const checkpoint::Checkpoint& checkpoint) {
  static constexpr const char* kParts[] = {"attn", "ttention", "qkv", "q_proj", "query", "in_proj"};
  return std::any_of(std::begin(kParts), std::end(kParts),
                     [&](const char* part) { return Contains(checkpoint, part); });
}

int Convolutions(const checkpoint::Checkpoint& checkpoint) {
  return static_cast<int>(std::count_if(checkpoint.tensors().begin(), checkpoint.tensors().end(),
                                        [](const auto& entry) { return entry.second.shape.size() == 4; }));
}

}  // namespace

void RefuseOtherModels(const checkpoint::Checkpoint& checkpoint, const Configuration& configuration) {
  for (const OtherModel& model : kOtherModels) {
    const bool named = model.configuration_name && configuration.Names(model.configuration_name);
    const bool seen =
        model.parts[0] && std::all_of(model.parts.begin(), model.parts.end(),
                                      [&](const char* part) { return !part || Contains(checkpoint, part); });
    if (named || seen) Fail("this is ", model.what);
  }
  if (!HasAttention(checkpoint) && Convolutions(checkpoint) > 1) {
    Fail("this is a convolutional network: not a Vision Transformer");
  }
  if (Contains(checkpoint, "word_embeddings.weight") && Convolutions(checkpoint) == 0) {
    Fail("this is a language model: not a Vision Transformer");
  }
}

void RefuseUnknownModel(const checkpoint::Checkpoint& checkpoint) {
  if (checkpoint.tensors().empty()) Fail("checkpoint has no tensors");
  if (Contains(checkpoint, "lora_A")) {
    Fail(
        "this is an adapter (LoRA), not a model: merge it into its base model first, with peft's "
        "merge_and_unload(), then save and convert that");
  }
  std::string names;
  int count = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (count++ == 3) break;
    names += (names.empty() ? "" : ", ") + name;
  }
  Fail("not a supported Vision Transformer: its first tensors are ", names);
}

}  // namespace vitrine
