// SPDX-License-Identifier: Apache-2.0
#include "converter/family/json_object.h"

#include <cmath>

#include "converter/error.h"

namespace vitrine {

using nlohmann::json;

namespace {
constexpr double kMostPixels = 16384;  // of a side: a product of two fits into an int
}

const json* JsonObject::Find(Keys keys, const char** found) const {
  for (const char* key : keys) {
    const auto value = object_.find(key);
    if (value != object_.end() && !value->is_null()) {
      *found = key;
      return &*value;
    }
  }
  return nullptr;
}

void JsonObject::Refuse(const char* key, const char* expected) const {
  Fail(file_, ": ", key, " is ", object_.at(key).dump(), ", expected ", expected);
}

bool JsonObject::has(const char* key) const {
  const char* found;
  return Find({key}, &found) != nullptr;
}

std::optional<int> JsonObject::Int(Keys keys) const {
  const char* key;
  const json* value = Find(keys, &key);
  if (!value) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : -1;
  if (!(number >= 0 && number <= 2147483647.0) || number != std::floor(number)) Refuse(key, "a whole number");
  return static_cast<int>(number);
}

std::optional<double> JsonObject::Number(Keys keys) const {
  const char* key;
  const json* value = Find(keys, &key);
  if (!value) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>())) Refuse(key, "a number");
  return value->get<double>();
}

std::optional<bool> JsonObject::Flag(Keys keys) const {
  const char* key;
  const json* value = Find(keys, &key);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  if (*value == 0 || *value == 1) return *value == 1;
  Refuse(key, "true or false");
}

std::optional<std::string> JsonObject::Text(Keys keys) const {
  const char* key;
  const json* value = Find(keys, &key);
  if (!value) return std::nullopt;
  if (!value->is_string()) Refuse(key, "a text");
  return value->get<std::string>();
}

std::optional<ImageSize> JsonObject::Size(Keys keys) const {
  const char* key;
  const json* value = Find(keys, &key);
  if (!value) return std::nullopt;
  const auto whole = [&](const json& side) {
    const double number = side.is_number() ? side.get<double>() : 0;
    if (!(number >= 1 && number <= kMostPixels) || number != std::floor(number)) {
      Refuse(key, "a size in pixels, 1 to 16384");
    }
    return static_cast<int>(number);
  };
  if (value->is_array() && (value->size() == 2 || value->size() == 3)) {
    return ImageSize{whole((*value)[value->size() - 2]), whole((*value)[value->size() - 1])};
  }
  if (value->is_array() && value->size() == 1) return ImageSize{whole((*value)[0]), whole((*value)[0])};
  if (value->is_object() && value->contains("height") && value->contains("width")) {
    return ImageSize{whole((*value)["height"]), whole((*value)["width"])};
  }
  return ImageSize{whole(*value), whole(*value)};
}

std::vector<float> JsonObject::Floats(Keys keys) const {
  const char* key;
  const json* value = Find(keys, &key);
  if (!value) return {};
  std::vector<float> numbers;
  for (const json& item : value->is_array() ? *value : json::array({*value})) {
    if (!item.is_number() || !std::isfinite(item.get<float>())) Refuse(key, "numbers");
    numbers.push_back(item.get<float>());
  }
  return numbers;
}

}  // namespace vitrine
