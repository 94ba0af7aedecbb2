// SPDX-License-Identifier: Apache-2.0
#include "converter/family/configuration.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

#include "converter/error.h"

namespace vitrine {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kLargestFile = 64 << 20;

json ReadJson(const fs::path& path) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  if (error) Fail(path.string(), ": cannot be read");
  if (bytes > kLargestFile) Fail(path.string(), ": ", bytes, " bytes are too many for a configuration");
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) Fail(path.string(), ": is not JSON");
  if (!value.is_object()) Fail(path.string(), ": is not a JSON object");
  return value;
}

bool LooksLikeModel(const json& object) {
  static constexpr const char* kKeys[] = {"model_type",  "architectures", "architecture", "model_args",
                                          "model_class", "embed_dim",     "hidden_size",  "hidden_dim",
                                          "patch_size",  "vision_config"};
  return std::any_of(std::begin(kKeys), std::end(kKeys),
                     [&](const char* key) { return object.contains(key); });
}

/// Adds the entries of `from` that `to` does not have.
void Fill(json* to, const json& from) {
  for (const auto& [key, value] : from.items()) {
    if (!to->contains(key)) (*to)[key] = value;
  }
}

/// Returns the object with one level: CLIP's vision_config and timm's model_args move up and override the
/// rest.
json Flatten(const json& object) {
  json flat = json::object();
  for (const char* part : {"vision_config", "model_args"}) {
    if (object.contains(part) && object[part].is_object()) Fill(&flat, object[part]);
  }
  for (const auto& [key, value] : object.items()) {
    const bool nested =
        key == "vision_config" || key == "text_config" || key == "model_args" || key == "pretrained_cfg";
    if (!nested && !flat.contains(key)) flat[key] = value;
  }
  // The outer names describe the whole model: CLIPModel, not its vision part.
  for (const char* key : {"architectures", "id2label"}) {
    if (object.contains(key)) flat[key] = object[key];
  }
  return flat;
}

json UnwrapPreprocessor(const json& object) {
  for (const char* part : {"pretrained_cfg", "image_processor"}) {
    if (object.contains(part) && object[part].is_object()) return object[part];
  }
  return object;
}

/// Returns the first of `names` that is a file next to the checkpoint, or in it if it is a folder.
std::optional<fs::path> Beside(const fs::path& checkpoint, std::initializer_list<std::string> names) {
  const fs::path folder = fs::is_directory(checkpoint) ? checkpoint : checkpoint.parent_path();
  for (const std::string& name : names) {
    if (!name.empty() && fs::is_regular_file(folder / name)) return folder / name;
  }
  return std::nullopt;
}

/// Returns the model's configuration as in its file; empty when there is none.
json FindModelFile(const ConversionInputs& inputs, std::string* file, std::vector<std::string>* remarks) {
  if (inputs.config) {
    *file = inputs.config->filename().string();
    return ReadJson(*inputs.config);
  }
  const std::string own = inputs.checkpoint.filename().string() + ".args.json";
  const std::optional<fs::path> beside = Beside(inputs.checkpoint, {own, "config.json", "args.json"});
  if (!beside) return json::object();
  const std::string name = beside->filename().string();
  if (fs::is_directory(inputs.checkpoint)) {
    *file = name;
    return ReadJson(*beside);
  }
  try {
    json object = ReadJson(*beside);
    if (LooksLikeModel(object)) {
      remarks->push_back("used the configuration in " + name + " next to the checkpoint");
      *file = name;
      return object;
    }
  } catch (const Error&) {
  }
  remarks->push_back("ignored " + name + " next to the checkpoint: it is not a model's configuration");
  return json::object();
}

JsonObject FindPreprocessor(const ConversionInputs& inputs, const json& model_file,
                            const std::string& model_name, std::vector<std::string>* remarks) {
  if (inputs.preprocessor) {
    return {UnwrapPreprocessor(ReadJson(*inputs.preprocessor)), inputs.preprocessor->filename().string()};
  }
  const std::optional<fs::path> beside =
      Beside(inputs.checkpoint, {"preprocessor_config.json", "processor_config.json"});
  if (beside) {
    const std::string name = beside->filename().string();
    if (!fs::is_directory(inputs.checkpoint)) {
      remarks->push_back("used the preprocessing in " + name + " next to the checkpoint");
    }
    return {UnwrapPreprocessor(ReadJson(*beside)), name};
  }
  if (model_file.contains("pretrained_cfg") && model_file["pretrained_cfg"].is_object()) {
    return {model_file["pretrained_cfg"], model_name};
  }
  return {};
}

/// Returns the model's name in a training script; empty when there is none.
std::string TrainedAs(const json& metadata) {
  if (!metadata.is_object()) return "";
  const json arguments = metadata.value("args", json::object());
  for (const json& name :
       {metadata.value("arch", json()), arguments.is_object() ? arguments.value("model", json()) : json()}) {
    if (name.is_string()) return name.get<std::string>();
  }
  return "";
}

/// "vit_*" matches a prefix, "*dinov3*" any part.
bool Matches(std::string_view value, std::string_view pattern) {
  if (pattern.size() > 2 && pattern.starts_with('*') && pattern.ends_with('*')) {
    return value.find(pattern.substr(1, pattern.size() - 2)) != std::string_view::npos;
  }
  if (pattern.ends_with('*')) return value.starts_with(pattern.substr(0, pattern.size() - 1));
  return value == pattern;
}

}  // namespace

bool Configuration::Names(const char* value) const {
  for (const char* key : {"model_type", "architecture", "model_class", "architectures"}) {
    if (!model.has(key)) continue;
    const json& names = model.object()[key];
    for (const json& name : names.is_array() ? names : json::array({names})) {
      if (name.is_string() && Matches(name.get_ref<const std::string&>(), value)) return true;
    }
  }
  return false;
}

Configuration ReadConfiguration(const ConversionInputs& inputs, const json& metadata) {
  Configuration configuration;
  std::string name;
  const json file = FindModelFile(inputs, &name, &configuration.remarks);
  json model = Flatten(file);
  if (const std::string trained = TrainedAs(metadata); !trained.empty())
    Fill(&model, {{"architecture", trained}});
  // The graph is what the model computes, so it overrides the files.
  if (metadata.is_object() && metadata.contains("graph")) model.update(metadata["graph"]);
  configuration.model = {std::move(model), name};
  configuration.preprocessor = FindPreprocessor(inputs, file, name, &configuration.remarks);
  if (inputs.labels) configuration.labels_file = inputs.labels->string();
  configuration.labels = inputs.labels ? ReadLabels(*inputs.labels) : LabelsOf(file);
  return configuration;
}

}  // namespace vitrine
