// SPDX-License-Identifier: Apache-2.0
// JsonObject: typed questions to a JSON object that other people's programs wrote.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "converter/family/inputs.h"

namespace vitrine {

/// A JSON object whose values are asked for by all the names that libraries have for them: the first that is
/// there and not null counts. A value of the wrong type is an Error that names file and key.
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
  /// The first value and its key; nullptr when none is there.
  const nlohmann::json* Find(Keys keys, const char** key) const;
  [[noreturn]] void Refuse(const char* key, const char* expected) const;

  nlohmann::json object_;
  std::string file_;
};

}  // namespace vitrine
