// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/model.h"

#include <cstring>
#include <filesystem>
#include <protozero/pbf_reader.hpp>

#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
namespace fs = std::filesystem;

// A ViT-g has 40 blocks of about 100 nodes. A file of many empty messages must not take all memory.
constexpr size_t kMostNodes = 200'000;

// The fields that are read, with the wire types that they must have; all others are skipped.
constexpr uint32_t Bytes(uint32_t tag) {
  return protozero::tag_and_type(tag, pbf_wire_type::length_delimited);
}
constexpr uint32_t Varint(uint32_t tag) { return protozero::tag_and_type(tag, pbf_wire_type::varint); }
constexpr uint32_t Fixed32(uint32_t tag) { return protozero::tag_and_type(tag, pbf_wire_type::fixed32); }

std::string_view Text(pbf_reader& message) {
  const protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
}

std::span<const std::byte> Raw(pbf_reader& message) {
  return std::as_bytes(std::span<const char>(Text(message)));
}

struct KeyValue {
  std::string_view key, value;
};

KeyValue ParseKeyValue(pbf_reader message) {
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

/// The last name in Python's list "['', 'blocks', 'blocks.0', 'blocks.0.norm1', 'layer_norm']" that names a
/// module: the last but one.
std::string ModuleOfScopes(std::string_view scopes) {
  std::vector<std::string_view> names;
  for (size_t at = scopes.find('\''); at != std::string_view::npos; at = scopes.find('\'', at)) {
    const size_t end = scopes.find('\'', at + 1);
    if (end == std::string_view::npos) break;
    names.push_back(scopes.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names.size() < 2 ? "" : std::string(names[names.size() - 2]);
}

/// "/model/blocks/blocks.0/attn/qkv/MatMul", as the older exporter calls a node, gives
/// "model.blocks.0.attn.qkv".
std::string ModuleOfName(std::string_view name) {
  if (!name.starts_with('/')) return "";
  std::vector<std::string_view> parts;
  for (size_t at = 1; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    parts.push_back(name.substr(at, end - at));
    at = end + 1;
  }
  std::string module;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const bool list = parts[i + 1].size() > parts[i].size() && parts[i + 1].starts_with(parts[i]) &&
                      parts[i + 1][parts[i].size()] == '.';
    if (list) continue;  // blocks/blocks.0
    module += (module.empty() ? "" : ".") + std::string(parts[i]);
  }
  return module;
}

class Parser {
 public:
  explicit Parser(const MappedFile& file) : file_(file) { model_.file = file.name(); }

  OnnxModel Run() {
    const std::span<const std::byte> bytes = file_.bytes();
    pbf_reader message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    bool has_graph = false;
    while (message.next()) switch (message.tag_and_type()) {
        case Bytes(7):
          ParseGraph(message.get_message());
          has_graph = true;
          break;
        case Bytes(25):
          Fail(file_.name(),
               " is cut into functions; export it again with torch.onnx.export(..., dynamo=True) of "
               "PyTorch 2.6 or later, or convert the checkpoint itself");
        default:
          message.skip();
      }
    if (!has_graph) Fail(file_.name(), " is an ONNX file without a graph");
    return std::move(model_);
  }

 private:
  void ParseGraph(pbf_reader message) {
    std::vector<pbf_reader> inputs;
    while (message.next()) switch (message.tag_and_type()) {
        case Bytes(1):
          AddNode(ParseNode(message.get_message()));
          break;
        case Bytes(5):
          AddInitializer(message.get_message());
          break;
        case Bytes(11):
          inputs.push_back(message.get_message());
          break;
        default:
          message.skip();
      }
    for (const pbf_reader& input : inputs) ParseInput(input);
  }

  void AddNode(OnnxNode node) {
    if (model_.nodes.size() == kMostNodes) Fail(file_.name(), " has over ", kMostNodes, " nodes");
    if (node.op == "Constant" && node.outputs.size() == 1) {
      const OnnxAttribute* value = node.Find("value");
      if (value && value->tensor) model_.constants.emplace(node.outputs[0], *value->tensor);
    }
    model_.nodes.push_back(std::move(node));
  }

  OnnxNode ParseNode(pbf_reader message) {
    OnnxNode node;
    while (message.next()) switch (message.tag_and_type()) {
        case Bytes(1):
          node.inputs.push_back(Text(message));
          break;
        case Bytes(2):
          node.outputs.push_back(Text(message));
          break;
        case Bytes(3):
          node.name = Text(message);
          break;
        case Bytes(4):
          node.op = Text(message);
          break;
        case Bytes(5):
          node.attributes.push_back(ParseAttribute(message.get_message()));
          break;
        case Bytes(7):
          node.domain = Text(message);
          break;
        case Bytes(9): {
          const KeyValue property = ParseKeyValue(message.get_message());
          if (property.key == "pkg.torch.onnx.name_scopes") node.scope = ModuleOfScopes(property.value);
          break;
        }
        default:
          message.skip();
      }
    if (node.domain == "ai.onnx") node.domain = "";
    if (node.scope.empty()) node.scope = ModuleOfName(node.name);
    return node;
  }

  OnnxAttribute ParseAttribute(pbf_reader message) {
    OnnxAttribute attribute;
    while (message.next()) switch (message.tag_and_type()) {
        case Bytes(1):
          attribute.name = Text(message);
          break;
        case Fixed32(2):
          attribute.real = message.get_float();
          break;
        case Varint(3):
          attribute.integer = message.get_int64();
          break;
        case Bytes(4):
          attribute.text = Text(message);
          break;
        case Bytes(5):
          attribute.tensor = ParseTensor(message.get_message(), nullptr);
          break;
        case Bytes(8):
          Append(message.get_packed_int64(), &attribute.integers);
          break;
        case Varint(8):
          attribute.integers.push_back(message.get_int64());
          break;
        default:
          message.skip();
      }
    return attribute;
  }

  template <typename Range>
  void Append(const Range& range, std::vector<int64_t>* values) {
    for (const int64_t value : range) values->push_back(value);
  }

  void AddInitializer(pbf_reader message) {
    if (model_.constants.size() == kMostNodes) Fail(file_.name(), " has over ", kMostNodes, " tensors");
    std::string_view name;
    std::optional<Tensor> tensor = ParseTensor(message, &name);
    if (!tensor) return;
    if (!model_.constants.emplace(name, std::move(*tensor)).second) {
      Fail(file_.name(), " holds two tensors named ", std::string(name));
    }
  }

  /// Nothing for a type that no weight has: text, complex numbers, 4 bits.
  std::optional<Tensor> ParseTensor(pbf_reader message, std::string_view* name) {
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

  static void CheckSize(const Tensor& tensor, const std::string& where) {
    const std::optional<int64_t> elements = CountElements(tensor.shape);
    int64_t bytes = 0;
    if (!elements || __builtin_mul_overflow(*elements, int64_t(ElementBytes(tensor.dtype)), &bytes) ||
        bytes != static_cast<int64_t>(tensor.bytes.size())) {
      Fail(where, " is ", Name(tensor.dtype), " ", ShapeText(tensor.shape), ", but takes ",
           tensor.bytes.size(), " bytes");
    }
  }

  /// Integers, and halves as integers of 16 bits, that stand as varints.
  std::span<const std::byte> Pack(const std::vector<int64_t>& values, DType type) {
    const size_t element = ElementBytes(type);
    auto copy = std::make_unique<std::byte[]>(values.size() * element);
    for (size_t i = 0; i < values.size(); ++i) std::memcpy(&copy[i * element], &values[i], element);
    const std::span<const std::byte> bytes(copy.get(), values.size() * element);
    model_.copies.push_back(std::move(copy));
    return bytes;
  }

  /// A tensor's bytes in a file beside this one: {location, offset, length}.
  std::span<const std::byte> ExternalBytes(const std::map<std::string_view, std::string_view>& entries,
                                           const std::string& where) {
    const auto text = [&](const char* key) {
      const auto found = entries.find(key);
      return found == entries.end() ? std::string() : std::string(found->second);
    };
    const auto number = [&](const char* key, uint64_t missing) {
      const std::string digits = text(key);
      if (digits.empty()) return missing;
      if (digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos) {
        Fail(where, " has the ", key, " ", digits, ", expected a number of bytes");
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

  const MappedFile& DataFile(const std::string& location, const std::string& where) {
    if (location.empty() || fs::path(location).filename() != location || location == "..") {
      Fail(where, " lies in ", location, ", which is not a file name in the same folder");
    }
    for (const MappedFile& file : model_.data_files) {
      if (file.name() == location) return file;
    }
    const fs::path path = file_.path().parent_path() / location;
    if (!fs::exists(path)) Fail(file_.name(), " keeps its weights in ", location, ", which is not beside it");
    model_.data_files.emplace_back(path);
    return model_.data_files.back();
  }

  // ValueInfoProto { name = 1, type = 2 { tensor_type = 1 { shape = 2 { dim = 1 { dim_value = 1 } } } } }
  void ParseInput(pbf_reader message) {
    std::string_view name;
    std::vector<int64_t> shape;
    while (message.next()) switch (message.tag_and_type()) {
        case Bytes(1):
          name = Text(message);
          break;
        case Bytes(2):
          shape = ParseShape(message.get_message());
          break;
        default:
          message.skip();
      }
    if (!model_.constants.contains(name) && model_.image_shape.empty()) model_.image_shape = shape;
  }

  static pbf_reader Inner(pbf_reader message, uint32_t tag) {
    return message.next(tag, pbf_wire_type::length_delimited) ? message.get_message() : pbf_reader();
  }

  static std::vector<int64_t> ParseShape(pbf_reader type) {
    std::vector<int64_t> sizes;
    pbf_reader shape = Inner(Inner(type, 1), 2);
    while (shape.next(1, pbf_wire_type::length_delimited)) {
      pbf_reader dimension = shape.get_message();
      sizes.push_back(dimension.next(1, pbf_wire_type::varint) ? dimension.get_int64() : -1);
    }
    return sizes;
  }

  const MappedFile& file_;
  OnnxModel model_;
};

}  // namespace

const OnnxAttribute* OnnxNode::Find(std::string_view attribute) const {
  for (const OnnxAttribute& candidate : attributes) {
    if (candidate.name == attribute) return &candidate;
  }
  return nullptr;
}

OnnxModel ParseOnnx(const MappedFile& file) try {
  return Parser(file).Run();
} catch (const protozero::exception&) {
  Fail(file.name(), " is an ONNX file that is cut short or damaged");
}

std::string Describe(const OnnxNode& node) {
  return "node " + std::string(node.name.empty() ? node.outputs.empty() ? "" : node.outputs[0] : node.name) +
         " (" + (node.domain.empty() ? "" : std::string(node.domain) + ".") + std::string(node.op) + ")";
}

}  // namespace vitrine::checkpoint
