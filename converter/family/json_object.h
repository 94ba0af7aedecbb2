// SPDX-License-Identifier: Apache-2.0
// What the person gives, and JSON objects that say where they come from.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace vitrine {

/// Height and width in pixels.
struct ImageSize {
  int height = 0, width = 0;
};

/// The options of vitrine-convert that describe the model. An absent value is read from a file next to the
/// checkpoint (`config.json`, `args.json`, `preprocessor_config.json`), else from the weights' shapes, else
/// from the family's defaults; `Vit::remarks` then has a note.
struct ConversionInputs {
  std::filesystem::path checkpoint;             ///< a file, or a folder from the Hugging Face hub
  std::optional<std::filesystem::path> config;  ///< Hugging Face, timm hub, or timm arguments (JSON)
  std::optional<std::filesystem::path>
      preprocessor;                             ///< preprocessor_config.json or timm pretrained_cfg (JSON)
  std::optional<std::filesystem::path> labels;  ///< one name a line, or JSON {"0": "...", ...} or [...]
  std::optional<std::vector<float>> mean, deviation;  ///< one value a channel, for pixels scaled to 0..1
  std::optional<double> crop_fraction;                ///< timm's crop_pct: input size / resized shortest side
  std::optional<std::string> interpolation;           ///< "bicubic", "bilinear", ...
  std::optional<ImageSize> image_size;                ///< input size; position embeddings are interpolated
  std::optional<int> heads;
  std::optional<std::string> family;  ///< one of FamilyNames()
};

/// A JSON object. Functions take all the keys that libraries have for a value and return the first that
/// exists and is not null. A value of the wrong type is an Error with file and key.
class JsonObject {
 public:
  using Keys = std::initializer_list<const char*>;

  JsonObject() : object_(nlohmann::json::object()) {}
  JsonObject(nlohmann::json object, std::string file) : object_(std::move(object)), file_(std::move(file)) {}

  bool empty() const { return object_.empty(); }
  const nlohmann::json& object() const { return object_; }
  const std::string& file() const { return file_; }  ///< for messages; empty when there is no file

  bool has(const char* key) const;
  std::optional<int> Int(Keys keys) const;  ///< 0 to 2^31 - 1
  std::optional<double> Number(Keys keys) const;
  std::optional<bool> Flag(Keys keys) const;  ///< true, false, 0 or 1
  std::optional<std::string> Text(Keys keys) const;
  std::optional<ImageSize> Size(
      Keys keys) const;                        ///< n, [h, w], [channels, h, w] or {"height": h, "width": w}
  std::vector<float> Floats(Keys keys) const;  ///< empty when absent; a number counts as one

 private:
  /// Returns the first value and its key; nullptr when there is none.
  const nlohmann::json* Find(Keys keys, const char** key) const;
  [[noreturn]] void Refuse(const char* key, const char* expected) const;

  nlohmann::json object_;
  std::string file_;
};

}  // namespace vitrine
