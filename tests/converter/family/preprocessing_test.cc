// SPDX-License-Identifier: Apache-2.0
// ImageConfig from the preprocessor files of many libraries.
#include "converter/family/preprocessing.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "converter/error.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using Resize = ImageConfig::Resize;

constexpr ImageDefaults kDefaults = {.crop_fraction = 0.9, .mean = kHalf, .deviation = kHalf};

JsonObject Parse(const char* text) { return {nlohmann::json::parse(text), "preprocessor_config.json"}; }

ImageConfig Config(const char* text, ImageSize size, const ConversionInputs& inputs = {}) {
  VitConfig config;
  config.image_height = size.height;
  config.image_width = size.width;
  std::vector<std::string> remarks;
  return MakeImageConfig(Parse(text), kDefaults, inputs, config, &remarks);
}

/// Mode, resized height and width.
void CheckResize(const ImageConfig& image, Resize mode, int height, int width) {
  CHECK(image.resize == mode);
  CHECK(image.resize_height == height);
  CHECK(image.resize_width == width);
}

TEST_CASE("ViTImageProcessor resizes without keeping the ratio") {
  const char* text =
      R"({"do_resize": true, "size": {"height": 224, "width": 200}, "resample": 2, "do_normalize": true,
      "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3], "image_processor_type": "ViTImageProcessor"})";
  CHECK(PreprocessedSize(Parse(text))->width == 200);
  const ImageConfig image = Config(text, {224, 200});
  CheckResize(image, Resize::kSquash, 224, 200);
  CHECK(image.interpolation == 2);
  CHECK(image.crop_floor);
  CHECK(image.mean == std::vector<float>{0.1f, 0.2f, 0.3f});
  CHECK(image.deviation == std::vector<float>{1, 2, 3});
  CHECK(!image.assumed);
}

TEST_CASE("Older feature extractors have one number for the size") {
  CheckResize(Config(R"({"feature_extractor_type": "ViTFeatureExtractor", "size": 224})", {224, 224}),
              Resize::kSquash, 224, 224);
  const char* deit =
      R"({"feature_extractor_type": "DeiTFeatureExtractor", "size": 256, "do_center_crop": true,
      "crop_size": 224})";
  CHECK(PreprocessedSize(Parse(deit))->height == 224);
  CheckResize(Config(deit, {224, 224}), Resize::kSquash, 256, 256);
  const char* clip =
      R"({"feature_extractor_type": "CLIPFeatureExtractor", "size": 240, "do_center_crop": true,
      "crop_size": 224})";
  CheckResize(Config(clip, {224, 224}), Resize::kShortestSide, 240, 240);
}

TEST_CASE("BitImageProcessor takes the shortest edge and crops") {
  const char* text = R"({"do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "resample": 3,
      "size": {"shortest_edge": 256}, "image_processor_type": "BitImageProcessor"})";
  CHECK(PreprocessedSize(Parse(text))->height == 224);
  CheckResize(Config(text, {224, 224}), Resize::kShortestSide, 256, 256);
  // Another input size keeps the ratio.
  CheckResize(Config(text, {448, 448}), Resize::kShortestSide, 512, 512);
}

TEST_CASE("Leaves out disabled steps") {
  CheckResize(Config(R"({"do_resize": false, "size": 224})", {96, 80}), Resize::kNone, 96, 80);
  const ImageConfig image =
      Config(R"({"do_normalize": false, "size": 224, "image_mean": [9, 9, 9]})", {224, 224});
  CHECK(image.mean == std::vector<float>{0, 0, 0});
  CHECK(image.deviation == std::vector<float>{1, 1, 1});
}

TEST_CASE("Folds a rescale factor into mean and deviation") {
  const ImageConfig image = Config(R"({"size": 32, "rescale_factor": 0.00784313725490196, "image_mean": 1.0,
      "image_std": 1.0})",
                                   {32, 32});
  CHECK(image.mean == std::vector<float>{0.5f, 0.5f, 0.5f});
  CHECK(image.deviation == std::vector<float>{0.5f, 0.5f, 0.5f});
}

TEST_CASE("timm's crop fraction gives the shortest side") {
  const char* text = R"({"input_size": [3, 224, 224], "crop_pct": 0.875, "interpolation": "bilinear",
      "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]})";
  CHECK(PreprocessedSize(Parse(text))->height == 224);
  const ImageConfig image = Config(text, {224, 224});
  CheckResize(image, Resize::kShortestSide, 256, 256);
  CHECK(image.interpolation == 2);
  CHECK(!image.crop_floor);
  CheckResize(Config(R"({"input_size": [3, 224, 224], "crop_pct": 0.9})", {224, 224}), Resize::kShortestSide,
              248, 248);
  CheckResize(Config(R"({"input_size": [3, 96, 128], "crop_pct": 0.9})", {96, 128}), Resize::kShortestSide,
              106, 142);
  CheckResize(Config(R"({"input_size": [3, 224, 224], "crop_pct": 1.0, "crop_mode": "squash"})", {224, 224}),
              Resize::kSquash, 224, 224);
  CheckResize(Config(R"({"input_size": [3, 128, 128], "crop_pct": 0.8767, "resize": 146})", {128, 128}),
              Resize::kShortestSide, 146, 146);
  CHECK(Config(R"({"input_size": [3, 8, 8]})", {8, 8}).mean == std::vector<float>{0.485f, 0.456f, 0.406f});
}

TEST_CASE("Assumes the family's defaults without a file and adds a remark") {
  VitConfig config;
  config.image_height = config.image_width = 224;
  std::vector<std::string> remarks;
  ImageConfig image = MakeImageConfig({}, kDefaults, {}, config, &remarks);
  CheckResize(image, Resize::kShortestSide, 248, 248);
  CHECK(image.assumed);
  CHECK_THAT(remarks.at(0), ContainsSubstring("shortest side 248 bicubic, crop 224x224, mean 0.5 0.5 0.5"));
  config.channels = 1;
  image = MakeImageConfig({}, kDefaults, {}, config, &remarks);
  CHECK(image.mean == std::vector<float>{0.5f});
}

TEST_CASE("Options override files") {
  ConversionInputs inputs;
  inputs.mean = {0, 0, 0};
  inputs.deviation = {1, 1, 1};
  inputs.crop_fraction = 1;
  inputs.interpolation = "lanczos";
  const ImageConfig image =
      Config(R"({"size": {"shortest_edge": 256}, "crop_size": 224, "resample": 3})", {224, 224}, inputs);
  CheckResize(image, Resize::kShortestSide, 224, 224);
  CHECK(image.interpolation == 1);
  CHECK(image.mean == std::vector<float>{0, 0, 0});
  CHECK(!Config("{}", {224, 224}, inputs).assumed);
}

TEST_CASE("Refuses unsupported values") {
  const auto refusal = [](const char* text, const ConversionInputs& inputs = {}) -> std::string {
    try {
      Config(text, {224, 224}, inputs);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK_THAT(refusal(R"({"size": 224, "image_std": [0, 1, 1]})"),
             ContainsSubstring("std 0 cannot normalise"));
  CHECK_THAT(refusal(R"({"size": 224, "image_mean": [0, 1]})"), ContainsSubstring("mean has 2 values"));
  CHECK_THAT(refusal(R"({"size": 224, "resample": 7})"), ContainsSubstring("resample 7"));
  CHECK_THAT(refusal(R"({"size": "big"})"), ContainsSubstring("preprocessor_config.json: size is \"big\""));
  CHECK_THAT(refusal(R"({"input_size": 224, "crop_mode": "border"})"), ContainsSubstring("crop_mode border"));
  CHECK_THAT(refusal(R"({"input_size": 224, "crop_pct": 0})"), ContainsSubstring("crop_pct is 0"));
  ConversionInputs inputs;
  inputs.interpolation = "fancy";
  CHECK_THAT(refusal("{}", inputs), ContainsSubstring("unknown interpolation fancy"));
  inputs.interpolation.reset();
  inputs.crop_fraction = 1.5;
  CHECK_THAT(refusal("{}", inputs), ContainsSubstring("--crop-pct 1.5"));
}

}  // namespace
}  // namespace vitrine
