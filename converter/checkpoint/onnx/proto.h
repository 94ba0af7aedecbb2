// SPDX-License-Identifier: Apache-2.0
// Reading protobuf fields of the wire types that onnx.proto gives them; a field of another type is skipped.
#pragma once

#include <protozero/pbf_reader.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace vitrine::checkpoint {

constexpr uint32_t Bytes(uint32_t tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::length_delimited);
}
constexpr uint32_t Varint(uint32_t tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::varint);
}
constexpr uint32_t Fixed32(uint32_t tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::fixed32);
}

inline std::string_view Text(protozero::pbf_reader& message) {
  const protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
}

inline std::span<const std::byte> Raw(protozero::pbf_reader& message) {
  return std::as_bytes(std::span<const char>(Text(message)));
}

struct KeyValue {
  std::string_view key, value;
};

inline KeyValue ParseKeyValue(protozero::pbf_reader message) {
  KeyValue pair;
  while (message.next()) switch (message.tag_and_type()) {
      case Bytes(1):
        pair.key = Text(message);
        break;
      case Bytes(2):
        pair.value = Text(message);
        break;
      default:
        message.skip();
    }
  return pair;
}

template <typename Range>
void Append(const Range& range, std::vector<int64_t>* values) {
  for (const int64_t value : range) values->push_back(value);
}

}  // namespace vitrine::checkpoint
