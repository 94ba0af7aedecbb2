// SPDX-License-Identifier: Apache-2.0
// Errors for incomplete checkpoints and for models that are not a plain ViT.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "converter/family/family.h"
#include "tests/support/fixture.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

ConversionInputs Heads(int heads) {
  ConversionInputs inputs;
  inputs.heads = heads;
  return inputs;
}

TEST_CASE("Accepts a complete checkpoint") { CHECK(RefusalOf(TinyTimmShapes(), Heads(2)) == ""); }

TEST_CASE("Names the tensor that is missing") {
  for (const auto& [name, shape] : TinyTimmShapes()) {
    Shapes shapes = TinyTimmShapes();
    shapes.erase(name);
    INFO(name);
    CHECK_THAT(RefusalOf(shapes, Heads(2)), ContainsSubstring("checkpoint has no " + name));
  }
}

TEST_CASE("Names the missing tensor of every committed model") {
  for (const ModelFixture& fixture : CommittedFixtures()) {
    if (fixture.name.starts_with("onnx_")) continue;  // exports may omit zero biases
    const Shapes whole = ShapesOf(fixture.inputs);
    for (const auto& [name, shape] : whole) {
      INFO(fixture.name << " without " << name);
      const bool ignored =
          std::find(shape.begin(), shape.end(), 0) != shape.end() ||
          name.find("mask_token") != std::string::npos || name.ends_with("bias_mask") ||
          name.find("text_") == 0 || name.find("logit_") == 0 || name == "visual_projection.weight" ||
          (fixture.name.ends_with("_classes") &&
           (name.find("post_layernorm") != std::string::npos || name.find("vision_model.head") == 0));
      if (ignored) continue;
      Shapes shapes = whole;
      shapes.erase(name);
      ConversionInputs inputs = fixture.inputs;
      const std::filesystem::path folder = inputs.checkpoint.parent_path();
      inputs.config =
          folder / (std::filesystem::exists(folder / "config.json") ? "config.json" : "args.json");
      CHECK_THAT(RefusalOf(shapes, inputs), ContainsSubstring(name));
    }
  }
}

TEST_CASE("Names the tensor that has another shape, with expected and found") {
  const auto refusal = [](const char* name, std::vector<int64_t> shape) {
    Shapes shapes = TinyTimmShapes();
    shapes[name] = std::move(shape);
    return RefusalOf(shapes, Heads(2));
  };
  CHECK(refusal("blocks.1.mlp.fc1.weight", {32, 4}) ==
        "blocks.1.mlp.fc1.weight: expected [32, 8], found [32, 4]");
  CHECK(refusal("blocks.1.mlp.fc1.bias", {31}) == "blocks.1.mlp.fc1.bias: expected [32], found [31]");
  CHECK(refusal("blocks.0.mlp.fc2.weight", {8, 31}) ==
        "blocks.0.mlp.fc2.weight: expected [8, 32], found [8, 31]");
  CHECK(refusal("blocks.0.attn.qkv.weight", {8, 24}) ==
        "blocks.0.attn.qkv.weight: expected [24, 8], found [8, 24]");
  CHECK(refusal("cls_token", {1, 1, 9}) == "cls_token: expected [1, 1, 8], found [1, 1, 9]");
  CHECK(refusal("norm.weight", {9}) == "norm.weight: expected [8], found [9]");
  CHECK(refusal("patch_embed.proj.weight", {7, 3, 4, 4}) ==
        "patch_embed.proj.weight: expected [8, 3, 4, 4], found [7, 3, 4, 4]");
  CHECK_THAT(refusal("pos_embed", {1, 7, 8}), ContainsSubstring("pos_embed: found 7 rows, expected 1 for"));
  CHECK_THAT(refusal("patch_embed.proj.weight", {8, 3, 0, 4}), ContainsSubstring("patch_embed.proj.weight"));
}

TEST_CASE("Names the tensors that the family does not have") {
  Shapes shapes = TinyTimmShapes();
  shapes["blocks.0.attn.gate.weight"] = {8, 8};
  CHECK(RefusalOf(shapes, Heads(2)) ==
        "checkpoint has tensors that a timm VisionTransformer does not have: blocks.0.attn.gate.weight");
  shapes["blocks.1.attn.gate.weight"] = shapes["x"] = shapes["y"] = {8, 8};
  CHECK(RefusalOf(shapes, Heads(2)) ==
        "checkpoint has tensors that a timm VisionTransformer does not have: blocks.0.attn.gate.weight, "
        "blocks.1.attn.gate.weight (and 2 more)");
}

TEST_CASE("Ignores tensors that no output needs") {
  Shapes shapes = TinyTimmShapes();
  shapes["mask_token"] = {1, 8};
  shapes["decoder_blocks.0.attn.qkv.weight"] = {24, 8};
  CHECK(RefusalOf(shapes, Heads(2)) == "");
}

TEST_CASE("Refuses a missing block") {
  Shapes shapes = TinyTimmShapes();
  std::erase_if(shapes, [](const auto& entry) { return entry.first.starts_with("blocks.0."); });
  CHECK_THAT(RefusalOf(shapes, Heads(2)), ContainsSubstring("checkpoint has no blocks.0."));
}

TEST_CASE("Refuses a number of heads that does not divide the width") {
  CHECK_THAT(RefusalOf(TinyTimmShapes(), Heads(3)), ContainsSubstring("3 heads do not divide"));
  CHECK_THAT(RefusalOf(TinyTimmShapes(), Heads(0)), ContainsSubstring("0 heads"));
  CHECK_THAT(RefusalOf(TinyTimmShapes()), ContainsSubstring("--heads"));
}

TEST_CASE("Refuses an image size that is not a multiple of the patch") {
  ConversionInputs inputs = Heads(2);
  inputs.image_size = {12, 10};
  CHECK(RefusalOf(TinyTimmShapes(), inputs) == "image size 12x10 is not a multiple of the patch size 4x4");
  inputs.image_size = {1 << 30, 1 << 30};
  CHECK_THAT(RefusalOf(TinyTimmShapes(), inputs), ContainsSubstring("too large"));
}

TEST_CASE("Refuses to resample a relative position bias as timm does") {
  for (const ModelFixture& fixture : CommittedFixtures()) {
    if (fixture.name != "timm_beit") continue;
    ConversionInputs inputs = fixture.inputs;
    inputs.image_size = {40, 40};
    CHECK(RefusalOf(ShapesOf(fixture.inputs),
                    [&] {
                      inputs.config = fixture.inputs.checkpoint.parent_path() / "args.json";
                      return inputs;
                    }()) ==
          "image size 40x40: the relative position bias is made for 4x4 patches; this model's way of "
          "resampling it is not supported");
  }
}

TEST_CASE("Refuses an unknown family") {
  ConversionInputs inputs = Heads(2);
  inputs.family = "resnet";
  CHECK_THAT(RefusalOf(TinyTimmShapes(), inputs),
             ContainsSubstring("unknown family resnet, expected one of timm, "));
}

TEST_CASE("Refuses other models by names in their configuration") {
  const checkpoint::ScratchFolder folder;
  ConversionInputs inputs;
  const auto refusal = [&](const char* config) {
    inputs.config = folder.Write("config.json", config);
    return RefusalOf(TinyTimmShapes(), inputs);
  };
  CHECK_THAT(refusal(R"({"model_type": "dinov3_convnext"})"), ContainsSubstring("this is a ConvNeXt"));
  CHECK_THAT(refusal(R"({"architecture": "vit_small_patch16_rope_mixed_224"})"),
             ContainsSubstring("RoPE-Mixed"));
  CHECK_THAT(refusal(R"({"model_type": "swinv2"})"), ContainsSubstring("this is a Swin Transformer V2"));
  CHECK_THAT(refusal(R"({"architecture": "vit_base_r50_s16_224"})"), ContainsSubstring("this is a hybrid"));
  CHECK(refusal(R"({"architecture": "eva_large_patch14_196", "num_heads": 2})") == "");
}

TEST_CASE("Refuses timm's other models by the names of their tensors") {
  const auto models =
      nlohmann::json::parse(checkpoint::ReadBytes(VITRINE_SOURCE_DIR "/tests/fixtures/foreign.json"));
  CHECK(models.size() >= 40);
  for (const auto& model : models) {
    INFO(model["model"]);
    CHECK_THAT(RefusalOf(model["tensors"].get<Shapes>()),
               StartsWith("this is " + model["what"].get<std::string>()));
  }
}

TEST_CASE("Names the tensor that has a NaN") {
  for (const ModelFixture& fixture : CommittedFixtures()) {
    if (fixture.name != "timm_vit") continue;
    const std::string whole = checkpoint::ReadBytes(fixture.inputs.checkpoint);
    const auto checkpoint = OpenCheckpoint(fixture.inputs.checkpoint);
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      const checkpoint::ScratchFolder folder;
      std::string broken = whole;
      const size_t header = static_cast<uint8_t>(whole[0]) + 256u * static_cast<uint8_t>(whole[1]);
      const auto entry = nlohmann::json::parse(whole.substr(8, header))[name];
      broken.replace(8 + header + entry["data_offsets"][0].get<size_t>() + 2, 2, "\xff\x7f");  // not a number
      ConversionInputs inputs = fixture.inputs;
      inputs.config = fixture.inputs.checkpoint.parent_path() / "args.json";
      inputs.checkpoint = folder.Write("model.safetensors", broken);
      CHECK_THAT(RefusalOf(inputs), StartsWith(name + ": value 1 of "));
    }
  }
}

TEST_CASE("Refuses other models by name") {
  const struct {
    const char* line;
    Shapes shapes;
  } cases[] = {
      {"this is a Swin Transformer: its windowed attention is not supported",
       {{"patch_embed.proj.weight", {96, 3, 4, 4}},
        {"layers.0.blocks.0.attn.relative_position_bias_table", {169, 3}},
        {"layers.0.blocks.0.attn.qkv.weight", {288, 96}}}},
      {"this is a Swin Transformer: its windowed attention is not supported",
       {{"features.0.0.weight", {96, 3, 4, 4}},
        {"features.1.0.attn.relative_position_bias_table", {169, 3}},
        {"features.1.0.attn.qkv.weight", {288, 96}}}},
      {"this is a Swin Transformer: its windowed attention is not supported",
       {{"swin.embeddings.patch_embeddings.projection.weight", {96, 3, 4, 4}},
        {"swin.encoder.layers.0.blocks.0.attention.self.relative_position_bias_table", {169, 3}},
        {"swin.encoder.layers.0.blocks.0.attention.self.query.weight", {96, 96}}}},
      {"this is a Swin Transformer: its windowed attention is not supported",  // as exported to ONNX
       {{"patch_embed.proj.weight", {96, 3, 4, 4}},
        {"layers.0.blocks.0.attn.qkv.bias", {288}},
        {"layers.1.downsample.norm.weight", {384}},
        {"head.fc.weight", {1000, 768}}}},
      {"this is a ViT with timm's own relative positions: they are not supported",
       {{"blocks.0.attn.qkv.weight", {24, 8}}, {"blocks.0.attn.rel_pos.mlp.fc1.weight", {512, 2}}}},
      {"this is a hybrid Vision Transformer: its convolutional stem is not supported",
       {{"patch_embed.backbone.stem.conv.weight", {64, 3, 7, 7}}, {"blocks.0.attn.qkv.weight", {24, 8}}}},
      {"this is a Mixture of Experts: its routing is not supported",
       {{"blocks.0.attn.qkv.weight", {24, 8}}, {"blocks.0.mlp.experts.0.fc1.weight", {32, 8}}}},
      {"this is a ResNet: a convolutional network, not a Vision Transformer",
       {{"conv1.weight", {64, 3, 7, 7}}, {"layer1.0.conv1.weight", {64, 64, 3, 3}}}},
      {"this is a convolutional network: not a Vision Transformer",
       {{"features.0.weight", {64, 3, 3, 3}}, {"features.2.weight", {64, 64, 3, 3}}}},
      {"this is a language model: not a Vision Transformer",
       {{"bert.embeddings.word_embeddings.weight", {9, 8}},
        {"bert.encoder.layer.0.attention.self.query.weight", {8, 8}}}},
      {"not a supported Vision Transformer: its first tensors are a.attn, b, c",
       {{"a.attn", {1}}, {"b", {1}}, {"c", {1}}, {"d", {1}}}},
  };
  for (const auto& [line, shapes] : cases) CHECK(RefusalOf(shapes) == line);
}

}  // namespace
}  // namespace vitrine
