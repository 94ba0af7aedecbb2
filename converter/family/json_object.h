// SPDX-License-Identifier: Apache-2.0
// JsonObject: typed access to a JSON object in other programs' files.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "converter/family/inputs.h"

namespace vitrine {

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
