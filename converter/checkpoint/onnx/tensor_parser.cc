// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/tensor_parser.h"

#include <cstring>
#include <filesystem>
#include <memory>

#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

namespace fs = std::filesystem;

// TensorProto.DataType
std::optional<DType> TypeOf(int32_t data_type) {
  switch (data_type) {
    case 1:
      return DType::kF32;
    case 2:
      return DType::kU8;
    case 3:
      return DType::kI8;
    case 5:
      return DType::kI16;
    case 6:
      return DType::kI32;
    case 7:
      return DType::kI64;
    case 9:
      return DType::kBool;
    case 10:
      return DType::kF16;
    case 11:
      return DType::kF64;
    case 16:
      return DType::kBF16;
    default:
      return std::nullopt;
  }
}

void CheckSize(const Tensor& tensor, const std::string& where) {
  const std::optional<int64_t> elements = CountElements(tensor.shape);
  int64_t bytes = 0;
  if (!elements || __builtin_mul_overflow(*elements, int64_t(ElementBytes(tensor.dtype)), &bytes) ||
      bytes != static_cast<int64_t>(tensor.bytes.size())) {
    Fail(where, " is ", Name(tensor.dtype), " ", ShapeText(tensor.shape), ", but takes ", tensor.bytes.size(),
         " bytes");
  }
}

}  // namespace

std::optional<Tensor> OnnxTensorParser::Parse(protozero::pbf_reader message, std::string_view* name) {
  Tensor tensor{DType::kF32, {}, {}, {}};
  int32_t data_type = 0;
  bool is_external = false;
  std::string_view own_name;
  std::map<std::string_view, std::string_view> external;
  std::vector<int64_t> integers;
  while (message.next()) switch (message.tag_and_type()) {
      case Bytes(1):
        Append(message.get_packed_int64(), &tensor.shape);
        break;
      case Varint(1):
        tensor.shape.push_back(message.get_int64());
        break;
      case Varint(2):
        data_type = message.get_int32();
        break;
      case Bytes(4):
      case Bytes(9):
      case Bytes(10):
        tensor.bytes = Raw(message);
        break;
      case Bytes(5):
        Append(message.get_packed_int32(), &integers);
        break;
      case Bytes(7):
        Append(message.get_packed_int64(), &integers);
        break;
      case Bytes(8):
        own_name = Text(message);
        break;
      case Bytes(13): {
        const KeyValue entry = ParseKeyValue(message.get_message());
        external[entry.key] = entry.value;
        break;
      }
      case Varint(14):
        is_external = message.get_int32() == 1;
        break;
      default:
        message.skip();
    }
  if (name) *name = own_name;
  const std::string where = file_.name() + ": " + std::string(own_name);
  const std::optional<DType> type = TypeOf(data_type);
  if (!type) return std::nullopt;
  tensor.dtype = *type;
  if (is_external) tensor.bytes = ExternalBytes(external, where);
  if (!integers.empty()) tensor.bytes = Pack(integers, tensor.dtype);
  CheckSize(tensor, where);
  tensor.strides = RowMajorStrides(tensor.shape);
  return tensor;
}

std::span<const std::byte> OnnxTensorParser::Pack(const std::vector<int64_t>& values, DType type) {
  const size_t element = ElementBytes(type);
  auto copy = std::make_unique<std::byte[]>(values.size() * element);
  for (size_t i = 0; i < values.size(); ++i) std::memcpy(&copy[i * element], &values[i], element);
  const std::span<const std::byte> bytes(copy.get(), values.size() * element);
  model_.copies.push_back(std::move(copy));
  return bytes;
}

std::span<const std::byte> OnnxTensorParser::ExternalBytes(
    const std::map<std::string_view, std::string_view>& entries, const std::string& where) {
  const auto text = [&](const char* key) {
    const auto found = entries.find(key);
    return found == entries.end() ? std::string() : std::string(found->second);
  };
  const auto number = [&](const char* key, uint64_t missing) {
    const std::string digits = text(key);
    if (digits.empty()) return missing;
    if (digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos) {
      Fail(where, ": ", key, " is ", digits, ", expected a number of bytes");
    }
    return static_cast<uint64_t>(std::stoull(digits));
  };
  const std::span<const std::byte> all = DataFile(text("location"), where).bytes();
  const uint64_t offset = number("offset", 0);
  const uint64_t length = number("length", offset < all.size() ? all.size() - offset : 0);
  if (offset > all.size() || length > all.size() - offset) {
    Fail(text("location"), " is cut short: ", where, " ends at byte ", offset + length, ", the file has ",
         all.size());
  }
  return all.subspan(offset, length);
}

const MappedFile& OnnxTensorParser::DataFile(const std::string& location, const std::string& where) {
  if (location.empty() || fs::path(location).filename() != location || location == "..") {
    Fail(where, " is stored in ", location, ", which is not a file name in the same folder");
  }
  for (const MappedFile& file : model_.data_files) {
    if (file.name() == location) return file;
  }
  const fs::path path = file_.path().parent_path() / location;
  if (!fs::exists(path))
    Fail(file_.name(), " has its weights in ", location, ", which is not in the same folder");
  model_.data_files.emplace_back(path);
  return model_.data_files.back();
}

}  // namespace vitrine::checkpoint
