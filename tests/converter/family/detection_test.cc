// SPDX-License-Identifier: Apache-2.0
// Detects the family from names, and sizes from shapes.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "converter/family/family.h"
#include "tests/support/fixture.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;

/// Returns the Vit of a checkpoint with these names and shapes and no other files. Its load functions must
/// not be called.
Vit VitOf(const Shapes& shapes, ConversionInputs inputs = {}) {
  const checkpoint::ScratchFolder folder;
  inputs.checkpoint = WriteZeros(folder, shapes);
  const auto checkpoint = OpenCheckpoint(inputs.checkpoint);
  return MakeVit(checkpoint, inputs);
}

TEST_CASE("Detects the family of every committed model from its weights alone") {
  for (const ModelFixture& fixture : CommittedFixtures()) {
    INFO(fixture.name);
    ConversionInputs inputs;
    inputs.heads = 3;
    inputs.image_size = fixture.inputs.image_size;
    const std::string family = VitOf(ShapesOf(fixture.inputs), inputs).config.family;
    const std::string library = fixture.name.substr(0, fixture.name.find('_'));
    if (fixture.name == "dinov2_hub") CHECK(family == "facebookresearch DINOv2");
    if (fixture.name == "dinov3_hub") CHECK(family == "facebookresearch DINOv3");
    const bool eva = fixture.name.starts_with("timm_dinov3") || fixture.name.starts_with("timm_eva") ||
                     fixture.name.starts_with("timm_rope");
    const bool beit = fixture.name.starts_with("timm_beit");
    if (library == "timm")
      CHECK(family == (beit ? "timm Beit" : eva ? "timm Eva" : "timm VisionTransformer"));
    if (library == "torchvision") CHECK(family == "torchvision VisionTransformer");
    if (library == "hf") CHECK_THAT(family, ContainsSubstring("Hugging Face"));
    if (fixture.name.starts_with("hf_dinov2")) CHECK(family == "Hugging Face DINOv2");
    if (fixture.name.starts_with("hf_dinov3")) CHECK(family == "Hugging Face DINOv3");
    if (fixture.name.starts_with("hf_beit")) CHECK(family == "Hugging Face BEiT");
    if (fixture.name.starts_with("hf_clip")) CHECK(family == "Hugging Face CLIP");
    if (fixture.name.starts_with("hf_siglip")) CHECK(family == "Hugging Face SigLIP");
    if (fixture.name.starts_with("hf_deit")) CHECK(family == "Hugging Face DeiT");
    if (fixture.name.starts_with("hf_ijepa")) CHECK(family == "Hugging Face I-JEPA");
    if (fixture.name.starts_with("hf_vit")) CHECK(family == "Hugging Face ViT");
  }
}

TEST_CASE("Deduces the sizes from shapes alone") {
  const Vit vit = VitOf(TinyTimmShapes(), [] {
    ConversionInputs inputs;
    inputs.heads = 2;
    return inputs;
  }());
  const VitConfig& config = vit.config;
  CHECK(config.width == 8);
  CHECK(config.depth == 2);
  CHECK(config.head_size == 4);
  CHECK(config.attention_scale == 0.5);
  CHECK(config.mlp_width == 32);
  CHECK(!config.gated_mlp);
  CHECK(config.classes == 5);
  CHECK(config.patch_height == 4);
  CHECK(config.image_height == 8);
  CHECK(config.image_width == 8);
  CHECK(config.tokens() == 5);
  CHECK(config.prefix_tokens == 1);
  CHECK(config.pooling == Pooling::kClassToken);
}

TEST_CASE("Assumes the number of heads and adds a remark") {
  Shapes shapes = TinyTimmShapes();
  for (auto& [name, shape] : shapes) {
    for (int64_t& dimension : shape) dimension = dimension == 8 ? 128 : dimension == 24 ? 384 : dimension;
  }
  const Vit vit = VitOf(shapes);
  CHECK(vit.config.heads == 2);
  CHECK(vit.remarks.front() == "assumed 2 heads of 64; use --heads or --config to change this");
}

TEST_CASE("Accepts a wrapper's prefix and repeats it in messages") {
  Shapes wrapped;
  for (const auto& [name, shape] : TinyTimmShapes()) wrapped["backbone." + name] = shape;
  wrapped["logit_scale"] = {1};  // otherwise the reader removes the common prefix
  ConversionInputs inputs;
  inputs.heads = 2;
  CHECK(VitOf(wrapped, inputs).config.classes == 5);
  wrapped.erase("backbone.blocks.1.norm1.bias");
  CHECK(RefusalOf(wrapped, inputs) == "checkpoint has no backbone.blocks.1.norm1.bias");
}

TEST_CASE("Registers may or may not have positions") {
  ConversionInputs inputs;
  inputs.heads = 2;
  for (const int64_t rows : {4, 5, 8}) {
    Shapes shapes = TinyTimmShapes();
    shapes["reg_token"] = {1, 3, 8};
    shapes["pos_embed"] = {1, rows, 8};
    INFO(rows);
    CHECK(VitOf(shapes, inputs).config.tokens() == 8);
  }
}

TEST_CASE("Accepts a configured image size that is not a multiple of the patch") {
  const checkpoint::ScratchFolder folder;
  ConversionInputs inputs;
  inputs.config =
      folder.Write("config.json", R"({"model_class": "VisionTransformer", "num_heads": 2, "img_size": 11})");
  const Vit vit = VitOf(TinyTimmShapes(), inputs);
  CHECK(vit.config.image_height == 11);
  CHECK(vit.config.tokens() == 5);
}

TEST_CASE("Accepts a family by name") {
  CHECK(FamilyNames().size() == 15);
  ConversionInputs inputs;
  inputs.heads = 2;
  inputs.family = "dinov2";
  CHECK(VitOf(TinyTimmShapes(), inputs).config.family == "facebookresearch DINOv2");
}

}  // namespace
}  // namespace vitrine
