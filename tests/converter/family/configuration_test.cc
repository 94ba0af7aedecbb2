// SPDX-License-Identifier: Apache-2.0
// Configuration files of all kinds, valid and invalid.
#include "converter/family/configuration.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>

#include "converter/family/family.h"
#include "tests/support/fixture.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

struct Case {
  checkpoint::ScratchFolder folder;
  ConversionInputs inputs;

  Case() { inputs.checkpoint = WriteZeros(folder, TinyTimmShapes()); }
  Configuration Read() { return ReadConfiguration(inputs); }
  std::string Refusal() {
    try {
      const auto checkpoint = OpenCheckpoint(inputs.checkpoint);
      MakeVit(checkpoint, inputs);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_CASE("Uses a configuration next to the checkpoint and adds a remark") {
  Case test;
  test.folder.Write("args.json", R"({"embed_dim": 8, "num_heads": 2})");
  const Configuration configuration = test.Read();
  CHECK(configuration.model.Int({"num_heads"}) == 2);
  CHECK(configuration.model.file() == "args.json");
  CHECK(configuration.remarks ==
        std::vector<std::string>{"used the configuration in args.json next to the checkpoint"});
}

TEST_CASE("Ignores a file next to the checkpoint that is not a model's configuration") {
  for (const char* content : {"{\"editor\": 1}", "[1]", "not JSON"}) {
    Case test;
    test.folder.Write("config.json", content);
    const Configuration configuration = test.Read();
    CHECK(configuration.model.empty());
    CHECK_THAT(configuration.remarks.at(0), ContainsSubstring("ignored config.json"));
  }
}

TEST_CASE("Refuses an invalid file given by --config") {
  Case test;
  test.inputs.config = test.folder.path() / "none.json";
  CHECK_THAT(test.Refusal(), ContainsSubstring("none.json: cannot be read"));
  test.inputs.config = test.folder.Write("a.json", "{");
  CHECK_THAT(test.Refusal(), ContainsSubstring("a.json: is not JSON"));
  test.inputs.config = test.folder.Write("b.json", "[]");
  CHECK_THAT(test.Refusal(), ContainsSubstring("b.json: is not a JSON object"));
  test.inputs.config = test.folder.Write("c.json", R"({"num_heads": "2"})");
  CHECK(test.Refusal() == R"(c.json: num_heads is "2", expected a whole number)");
  test.inputs.config = test.folder.Write("d.json", R"({"num_heads": 2, "hidden_act": "mish"})");
  CHECK(test.Refusal() == "d.json: activation mish is not supported");
  test.inputs.config = test.folder.Write("e.json", R"({"num_heads": 2, "depth": 12})");
  CHECK(test.Refusal() == "e.json does not fit the checkpoint: number of blocks is 12, the checkpoint has 2");
  test.inputs.config = test.folder.Write("f.json", R"({"num_heads": 2, "embed_dim": 16})");
  CHECK(test.Refusal() == "f.json does not fit the checkpoint: width is 16, the checkpoint has 8");
  test.inputs.config = test.folder.Write("g.json", R"({"num_heads": 2, "num_classes": 1000})");
  CHECK(test.Refusal() == "head.weight: expected [1000, 8], found [5, 8]");
  test.inputs.config = test.folder.Write("h.json", R"({"num_heads": 2, "global_pool": "max"})");
  CHECK(test.Refusal() == "global_pool max is not supported");
}

TEST_CASE("Flattens nested configurations") {
  Case test;
  test.inputs.config = test.folder.Write("clip.json", R"({
      "model_type": "clip", "architectures": ["CLIPModel"], "projection_dim": 24,
      "text_config": {"hidden_size": 1}, "vision_config": {"hidden_size": 768, "model_type": "clip_vision_model"}})");
  Configuration configuration = test.Read();
  CHECK(configuration.model.Int({"embed_dim", "hidden_size"}) == 768);
  CHECK(configuration.Names("clip_vision_model"));
  CHECK(configuration.Names("CLIP*"));
  CHECK(!configuration.Names("clip"));
  test.inputs.config = test.folder.Write("timm.json", R"({
      "architecture": "vit_tiny_patch16_224", "num_classes": 3, "model_args": {"num_classes": 7, "img_size": [32, 48]},
      "pretrained_cfg": {"input_size": [3, 32, 48], "crop_pct": 1.0, "mean": 0.5}})");
  configuration = test.Read();
  CHECK(configuration.model.Int({"num_classes"}) == 7);
  CHECK(configuration.model.Size({"img_size"})->width == 48);
  CHECK(configuration.preprocessor.Size({"input_size"})->height == 32);
  CHECK(configuration.preprocessor.Floats({"mean"}) == std::vector<float>{0.5f});
}

TEST_CASE("Uses the model's name from a training script as the architecture") {
  Case test;
  CHECK(ReadConfiguration(test.inputs, {{"arch", "vit_tiny_patch16_224"}}).Names("vit_*"));
  CHECK(ReadConfiguration(test.inputs, {{"args", {{"model", "deit_tiny_patch16_224"}}}}).Names("deit_*"));
  CHECK(!ReadConfiguration(test.inputs, {{"args", 3}, {"arch", nullptr}}).Names("*"));
  test.inputs.config = test.folder.Write("c.json", R"({"architecture": "vit_base"})");
  CHECK(!ReadConfiguration(test.inputs, {{"arch", "deit_tiny"}}).Names("deit_*"));
}

/// Converts with each value of `file` replaced by each odd value. Each conversion must succeed or throw an
/// Error.
void TryOddValues(const ModelFixture& fixture, const std::filesystem::path& file, bool is_model) {
  const auto checkpoint = OpenCheckpoint(fixture.inputs.checkpoint);
  const nlohmann::json whole = nlohmann::json::parse(checkpoint::ReadBytes(file));
  const checkpoint::ScratchFolder folder;
  for (const auto& [key, value] : whole.items()) {
    for (const char* odd :
         {"null", "-1", "0", "1", "1e300", "2147483647", "0.5", "\"x\"", "[]", "{}", "[[1]]", "true",
          "[1, 2, 3, 4]", "{\"height\": 0, \"width\": 1e9}", "{\"shortest_edge\": []}"}) {
      nlohmann::json changed = whole;
      changed[key] = nlohmann::json::parse(odd);
      ConversionInputs inputs = fixture.inputs;
      (is_model ? inputs.config : inputs.preprocessor) = folder.Write("odd.json", changed.dump());
      try {
        const Vit vit = MakeVit(checkpoint, inputs);
        CHECK(vit.config.tokens() > 0);
        CHECK(vit.config.heads > 0);
      } catch (const Error&) {
      }
    }
  }
}

TEST_CASE("Refuses or ignores odd values") {
  for (const ModelFixture& fixture : CommittedFixtures()) {
    const std::set<std::string> tried = {"hf_vit", "hf_dinov2", "hf_clip", "timm_hub", "timm_registers"};
    if (!tried.contains(fixture.name)) continue;
    INFO(fixture.name);
    const std::filesystem::path folder = fixture.inputs.checkpoint.parent_path();
    for (const char* name : {"config.json", "args.json"}) {
      if (std::filesystem::exists(folder / name)) TryOddValues(fixture, folder / name, true);
    }
    if (fixture.name == "hf_vit" || fixture.name == "hf_dinov2") {
      TryOddValues(fixture, folder / "preprocessor_config.json", false);
    }
  }
}

TEST_CASE("Reads labels from a file of any form") {
  Case test;
  const std::vector<std::string> names = {"a", "b b", "c", "d", "e"};
  for (const char* content :
       {"a\nb b\nc\nd\ne\n", "a\r\nb b\r\nc\r\nd\r\ne", R"(["a", "b b", "c", "d", "e"])",
        R"({"0": "a", "1": "b b", "10": "no", "2": "c", "3": "d", "4": "e"})",
        R"({"0": "a", "1": "b b", "2": "c", "3": "d", "4": "e"})"}) {
    test.inputs.labels = test.folder.Write("labels", content);
    INFO(content);
    if (std::string(content).find("no") != std::string::npos) {
      CHECK_THROWS_WITH(test.Read(), ContainsSubstring("with all numbers from 0"));
    } else {
      CHECK(test.Read().labels == names);
    }
  }
  test.inputs.labels = test.folder.Write("labels", "a\nb\n");
  test.inputs.heads = 2;
  CHECK_THAT(test.Refusal(), EndsWith("/labels: 2 labels for 5 classes"));
  test.inputs.labels = test.folder.path() / "none";
  CHECK_THAT(test.Refusal(), ContainsSubstring("none: cannot be read"));
}

TEST_CASE("Reads labels from a configuration, except placeholders") {
  Case test;
  const auto labels = [&](const char* content) {
    test.inputs.config = test.folder.Write("labelled.json", content);
    return test.Read().labels;
  };
  CHECK(labels(R"({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}})").empty());
  CHECK(labels(R"({"id2label": {"1": "dog", "0": "cat"}})") == std::vector<std::string>{"cat", "dog"});
  CHECK(
      labels(R"({"pretrained_cfg": {"label_names": ["n1", "n2"], "label_descriptions": {"n1": "tench"}}})") ==
      std::vector<std::string>{"tench", "n2"});
}

}  // namespace
}  // namespace vitrine
