// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/model.h"

#include <algorithm>

#include "converter/checkpoint/onnx/tensor_parser.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// A ViT-g has 40 blocks of about 100 nodes. The limit keeps a file of many empty messages from taking all
// memory.
constexpr size_t kMostNodes = 200'000;

/// Returns the last module's name in Python's list "['', 'blocks', 'blocks.0', 'blocks.0.norm1',
/// 'layer_norm']": the last but one.
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

/// Returns "model.blocks.0.attn.qkv" for "/model/blocks/blocks.0/attn/qkv/MatMul", a node's name in the older
/// exporter.
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
  explicit Parser(const MappedFile& file) : file_(file), tensors_(file, &model_) {
    model_.file = file.name();
  }

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
               " consists of functions, which are not supported: export it again with torch.onnx.export(..., "
               "dynamo=True) of "
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
          attribute.tensor = tensors_.Parse(message.get_message(), nullptr);
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

  void AddInitializer(pbf_reader message) {
    if (model_.constants.size() == kMostNodes) Fail(file_.name(), " has over ", kMostNodes, " tensors");
    std::string_view name;
    std::optional<Tensor> tensor = tensors_.Parse(message, &name);
    if (!tensor) return;
    if (!model_.constants.emplace(name, std::move(*tensor)).second) {
      Fail(file_.name(), " has two tensors named ", std::string(name));
    }
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
  OnnxTensorParser tensors_;
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
