// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/pickle_json.h"

#include "converter/checkpoint/torch_tensor.h"

namespace vitrine::checkpoint {
namespace {

using Kind = PickleValue::Kind;

std::string ClassName(const PickleValue& value) {
  return Utf8(std::string(value.module) + "." + std::string(value.text));
}

nlohmann::json Convert(const PickleValue& value, int depth, int& budget) {
  if (depth > 8 || --budget < 0) return nullptr;
  switch (value.kind) {
    case Kind::kBool:
      return value.integer != 0;
    case Kind::kInt:
      return value.integer;
    case Kind::kFloat:
      return value.real;
    case Kind::kString:
      return Utf8(value.text);
    case Kind::kGlobal:
      return ClassName(value);
    case Kind::kTuple:
    case Kind::kList: {
      auto array = nlohmann::json::array();
      for (size_t i = 0; i < value.items.size() && budget > 0; ++i) {
        array.push_back(Convert(*value.items[i], depth + 1, budget));
      }
      return array;
    }
    case Kind::kDict: {
      auto object = nlohmann::json::object();
      for (size_t i = 0; i + 1 < value.items.size() && budget > 0; i += 2) {
        const PickleValue& key = *value.items[i];
        const std::string name = key.is(Kind::kInt) ? std::to_string(key.integer) : Utf8(key.text);
        object[name] = Convert(*value.items[i + 1], depth + 1, budget);
      }
      return object;
    }
    case Kind::kObject:
      if (IsTensor(value)) return nullptr;
      if (value.state != nullptr && value.state->is(Kind::kDict)) {
        return Convert(*value.state, depth + 1, budget);
      }
      return ClassName(value);
    default:
      return nullptr;
  }
}

}  // namespace

std::string Utf8(std::string_view text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

nlohmann::json ToJson(const PickleValue& value, int& budget) { return Convert(value, 0, budget); }

}  // namespace vitrine::checkpoint
