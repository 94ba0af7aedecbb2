// SPDX-License-Identifier: Apache-2.0
#include "converter/family/preprocessing.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "converter/error.h"

namespace vitrine {
namespace {

using Resize = ImageConfig::Resize;

/// Returns Pillow's number for a filter's name in timm and torchvision.
int InterpolationNumber(const std::string& name, bool is_flag) {
  static const std::map<std::string, int> kNames = {{"nearest", 0}, {"lanczos", 1}, {"bilinear", 2},
                                                    {"bicubic", 3}, {"box", 4},     {"hamming", 5}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) {
    const std::string line =
        "unknown interpolation " + name + ", expected nearest, lanczos, bilinear, bicubic, box or hamming";
    if (is_flag) FailUsage(line);
    Fail(line);
  }
  return found->second;
}

/// Returns whether this is a timm pretrained_cfg and not a Hugging Face processor.
bool IsTimm(const JsonObject& preprocessor) {
  return preprocessor.has("input_size") || preprocessor.has("crop_pct") || preprocessor.has("crop_mode");
}

/// Returns whether a Hugging Face processor crops, also when do_center_crop is absent.
bool Crops(const JsonObject& preprocessor) {
  if (const std::optional<bool> crop = preprocessor.Flag({"do_center_crop"})) return *crop;
  return preprocessor.has("crop_size");
}

/// Returns whether the class reads a single number as the shortest edge (default_to_square=False).
bool ReadsShortestEdge(const JsonObject& preprocessor) {
  const std::string type = preprocessor.Text({"image_processor_type", "feature_extractor_type"}).value_or("");
  return type.starts_with("CLIP") || type.starts_with("Bit") || type.starts_with("ChineseCLIP");
}

std::optional<int> ShortestEdge(const JsonObject& preprocessor) {
  if (!preprocessor.has("size")) return std::nullopt;
  const nlohmann::json& size = preprocessor.object()["size"];
  if (size.is_object() && size.contains("shortest_edge")) {
    return JsonObject(size, preprocessor.file()).Int({"shortest_edge"});
  }
  if (size.is_number() && ReadsShortestEdge(preprocessor)) return preprocessor.Int({"size"});
  return std::nullopt;
}

/// The way from a photo to an input of `crop`.
struct Steps {
  Resize mode = Resize::kShortestSide;
  ImageSize resize, crop;
};

Steps TimmSteps(const JsonObject& preprocessor, ImageSize input) {
  Steps steps{Resize::kShortestSide, {}, preprocessor.Size({"input_size"}).value_or(input)};
  const std::string mode = preprocessor.Text({"crop_mode"}).value_or("center");
  if (mode == "squash")
    steps.mode = Resize::kSquash;
  else if (mode != "center")
    Fail("crop_mode ", mode, " is not supported, only center and squash");
  const double fraction = preprocessor.Number({"crop_pct"}).value_or(0.875);
  if (!(fraction > 0.01 && fraction <= 1))
    Fail(preprocessor.file(), ": crop_pct is ", fraction, ", expected above 0, up to 1");
  steps.resize = {static_cast<int>(std::floor(steps.crop.height / fraction)),
                  static_cast<int>(std::floor(steps.crop.width / fraction))};
  if (const std::optional<ImageSize> resize = preprocessor.Size({"resize"})) steps.resize = *resize;
  return steps;
}

Steps HuggingFaceSteps(const JsonObject& preprocessor, ImageSize input) {
  Steps steps{Resize::kShortestSide, input, input};
  if (Crops(preprocessor)) steps.crop = preprocessor.Size({"crop_size"}).value_or(input);
  if (!preprocessor.Flag({"do_resize"}).value_or(true)) {
    steps.mode = Resize::kNone;
    steps.resize = steps.crop;
  } else if (const std::optional<int> edge = ShortestEdge(preprocessor)) {
    steps.resize = {*edge, *edge};
  } else {
    steps.mode = Resize::kSquash;
    steps.resize = preprocessor.Size({"size"}).value_or(steps.crop);
  }
  if (!Crops(preprocessor)) steps.crop = steps.mode == Resize::kShortestSide ? input : steps.resize;
  return steps;
}

Steps DefaultSteps(const ImageDefaults& defaults, ImageSize input) {
  const auto grown = [&](int side) {
    return static_cast<int>(std::floor(side / defaults.crop_fraction + 1e-6));
  };
  return {defaults.resize, {grown(input.height), grown(input.width)}, input};
}

/// Returns one value for each channel; a single value counts for all.
std::vector<float> PerChannel(std::vector<float> values, const VitConfig& config, const char* what) {
  if (values.size() == 1) values.resize(config.channels, values[0]);
  if (static_cast<int>(values.size()) != config.channels) {
    const std::string line = std::string(what) + " has " + std::to_string(values.size()) +
                             " values, the model has " + std::to_string(config.channels) + " channels";
    if (what[0] == '-') FailUsage(line);  // a flag's
    Fail(line);
  }
  return values;
}

/// Returns the family's three values, or their average for a model without three channels.
std::vector<float> DefaultPerChannel(const std::array<float, 3>& values, const VitConfig& config) {
  if (config.channels == 3) return {values.begin(), values.end()};
  return std::vector<float>(config.channels, (values[0] + values[1] + values[2]) / 3);
}

constexpr float kLargestDeviation =
    10;  ///< for pixels from 0 to 1: the largest real one is 0.5; 1 changes nothing

/// Fails about mean and deviation: as wrong usage if they come from options, else as an error in a file.
template <typename... Parts>
void FailFor(const ConversionInputs& inputs, const Parts&... parts) {
  if (inputs.mean || inputs.deviation) FailUsage(parts...);
  Fail(parts...);
}

void ChooseNormalisation(const JsonObject& preprocessor, const ImageDefaults& defaults,
                         const ConversionInputs& inputs, const VitConfig& config, ImageConfig* image) {
  image->mean = preprocessor.Floats({"image_mean", "mean"});
  image->deviation = preprocessor.Floats({"image_std", "std"});
  if (!preprocessor.Flag({"do_normalize"}).value_or(true)) {
    image->mean = {0};
    image->deviation = {1};
  }
  // Without values in a pretrained_cfg, timm uses ImageNet's (timm/data/config.py).
  const bool timm = IsTimm(preprocessor);
  if (image->mean.empty()) image->mean = DefaultPerChannel(timm ? kImageNetMean : defaults.mean, config);
  if (image->deviation.empty()) {
    image->deviation = DefaultPerChannel(timm ? kImageNetDeviation : defaults.deviation, config);
  }
  image->mean = PerChannel(image->mean, config, "mean");
  image->deviation = PerChannel(image->deviation, config, "std");
  // (u8 * factor - mean) / std, where factor is nearly always 1/255: converts to pixels from 0 to 1.
  const bool rescales = preprocessor.Flag({"do_rescale"}).value_or(true);
  const double range = 255 * (rescales ? preprocessor.Number({"rescale_factor"}).value_or(1 / 255.0) : 1.0);
  if (std::abs(range - 1) > 1e-6) {
    for (float& value : image->mean) value = static_cast<float>(value / range);
    for (float& value : image->deviation) value = static_cast<float>(value / range);
  }
  if (inputs.mean) image->mean = PerChannel(*inputs.mean, config, "--mean");
  if (inputs.deviation) image->deviation = PerChannel(*inputs.deviation, config, "--std");
  for (int c = 0; c < config.channels; ++c) {
    const bool usable =
        std::isfinite(image->mean[c]) && image->deviation[c] > 0 && std::isfinite(image->deviation[c]);
    if (!usable)
      FailFor(inputs, "mean ", image->mean[c], " and std ", image->deviation[c],
              " cannot normalise a channel");
    if (std::abs(image->mean[c]) > 1 || image->deviation[c] > kLargestDeviation) {
      FailFor(inputs, "mean ", image->mean[c], " and std ", image->deviation[c],
              " do not fit pixels scaled to 0..1: divide values for 0..255 by 255");
    }
  }
}

void ChooseResize(Steps steps, const ConversionInputs& inputs, ImageSize input, ImageConfig* image) {
  image->resize = steps.mode;
  const auto scaled = [](int resize, int crop, int side) {
    return static_cast<int>(static_cast<int64_t>(resize) * side / std::max(1, crop));
  };
  ImageSize resize{scaled(steps.resize.height, steps.crop.height, input.height),
                   scaled(steps.resize.width, steps.crop.width, input.width)};
  if (inputs.crop_fraction) {
    if (!(*inputs.crop_fraction > 0.01 && *inputs.crop_fraction <= 1)) {
      FailUsage("--crop-pct ", *inputs.crop_fraction, ": expected above 0, up to 1");
    }
    if (image->resize == Resize::kNone) image->resize = Resize::kShortestSide;
    resize = {static_cast<int>(std::floor(input.height / *inputs.crop_fraction)),
              static_cast<int>(std::floor(input.width / *inputs.crop_fraction))};
  }
  image->resize_height = std::max(resize.height, 1);
  image->resize_width = std::max(resize.width, 1);
}

}  // namespace

std::optional<ImageSize> PreprocessedSize(const JsonObject& preprocessor) {
  if (preprocessor.empty()) return std::nullopt;
  if (IsTimm(preprocessor)) return preprocessor.Size({"input_size"});
  if (Crops(preprocessor)) return preprocessor.Size({"crop_size"});
  if (const std::optional<int> edge = ShortestEdge(preprocessor)) return ImageSize{*edge, *edge};
  if (!preprocessor.Flag({"do_resize"}).value_or(true)) return std::nullopt;
  return preprocessor.Size({"size"});
}

ImageConfig MakeImageConfig(const JsonObject& preprocessor, const ImageDefaults& defaults,
                            const ConversionInputs& inputs, const VitConfig& config,
                            std::vector<std::string>* remarks) {
  ImageConfig image;
  const ImageSize input{config.image_height, config.image_width};
  const bool timm = IsTimm(preprocessor);
  image.assumed = preprocessor.empty();
  ChooseNormalisation(preprocessor, defaults, inputs, config, &image);
  const Steps steps = image.assumed ? DefaultSteps(defaults, input)
                      : timm        ? TimmSteps(preprocessor, input)
                                    : HuggingFaceSteps(preprocessor, input);
  ChooseResize(steps, inputs, input, &image);
  image.crop_floor = image.assumed ? defaults.crop_floor : !timm;
  image.interpolation = defaults.interpolation;
  if (preprocessor.has("resample")) image.interpolation = preprocessor.Int({"resample"}).value();
  if (timm)
    image.interpolation =
        InterpolationNumber(preprocessor.Text({"interpolation"}).value_or("bicubic"), false);
  if (inputs.interpolation) image.interpolation = InterpolationNumber(*inputs.interpolation, true);
  if (image.interpolation > 5)
    Fail(preprocessor.file(), ": resample ", image.interpolation, " is not 0 to 5");
  const bool complete = inputs.mean && inputs.deviation && inputs.crop_fraction && inputs.interpolation;
  if (image.assumed && complete) image.assumed = false;
  if (image.assumed) {
    remarks->push_back(
        "assumed the family's preprocessing: " + Describe(config, image) +
        "; use --preprocessor, or --mean, --std, --crop-pct and --interpolation, to change this");
  }
  return image;
}

}  // namespace vitrine
