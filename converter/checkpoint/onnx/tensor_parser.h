// SPDX-License-Identifier: Apache-2.0
// Protobuf fields of the wire types that onnx.proto gives them (a field of another type is skipped), and
// TensorProto: a tensor in the file, packed or plain, or in another file next to it.
#pragma once

#include <map>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/onnx/model.h"

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

/// Parses tensors. Adds mapped files and copies to `model`, which must outlive the parser.
class OnnxTensorParser {
 public:
  OnnxTensorParser(const MappedFile& file, OnnxModel* model) : file_(file), model_(*model) {}

  /// Returns the tensor; nullopt for a type that no weight has: text, complex numbers, 4 bits. Sets `name`
  /// unless it is null.
  std::optional<Tensor> Parse(protozero::pbf_reader message, std::string_view* name);

 private:
  /// Returns the bytes of integers, or of halves as 16-bit integers, that the file stores as varints.
  std::span<const std::byte> Pack(const std::vector<int64_t>& values, DType type);
  /// Returns a tensor's bytes in another file of the same folder: {location, offset, length}.
  std::span<const std::byte> ExternalBytes(const std::map<std::string_view, std::string_view>& entries,
                                           const std::string& where);
  const MappedFile& DataFile(const std::string& location, const std::string& where);

  const MappedFile& file_;
  OnnxModel& model_;
};

}  // namespace vitrine::checkpoint
