// SPDX-License-Identifier: Apache-2.0
// Small graphs, written field by field: how their weights are named, and which graphs are refused.
// tests/fixtures/vit has whole exports.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <random>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using Catch::Matchers::ContainsSubstring;
using Strings = std::vector<std::string>;
using Sizes = std::vector<int64_t>;

/// Writes the fields of onnx.proto that a graph needs.
class Graph {
 public:
  Graph& Node(const std::string& op, const Strings& inputs, const std::string& output,
              const std::string& name = "", const std::map<std::string, Sizes>& attributes = {},
              const std::string& domain = "") {
    std::string bytes;
    protozero::pbf_writer node(bytes);
    for (const std::string& input : inputs) node.add_string(1, input);
    node.add_string(2, output);
    node.add_string(3, name);
    node.add_string(4, op);
    for (const auto& [key, values] : attributes) {
      std::string attribute_bytes;
      protozero::pbf_writer attribute(attribute_bytes);
      attribute.add_string(1, key);
      for (const int64_t value : values) attribute.add_int64(8, value);
      node.add_message(5, attribute_bytes);
    }
    if (!domain.empty()) node.add_string(7, domain);
    protozero::pbf_writer(graph_).add_message(1, bytes);
    return *this;
  }

  /// Adds a tensor of floats 0, 1, 2, ...; stores its values in `file` if given.
  Graph& Floats(const std::string& name, const Sizes& shape, const std::string& file = "") {
    std::string bytes;
    protozero::pbf_writer tensor(bytes);
    int64_t count = 1;
    for (const int64_t size : shape) {
      tensor.add_int64(1, size);
      count *= size;
    }
    tensor.add_int32(2, 1);
    tensor.add_string(8, name);
    if (file.empty()) {
      std::vector<float> values;
      for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i));
      tensor.add_packed_float(4, values.begin(), values.end());
    } else {
      for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", file},
                                       {"offset", "4"},
                                       {"length", std::to_string(4 * count)}}) {
        std::string entry_bytes;
        protozero::pbf_writer entry(entry_bytes);
        entry.add_string(1, key);
        entry.add_string(2, value);
        tensor.add_message(13, entry_bytes);
      }
      tensor.add_int32(14, 1);
    }
    protozero::pbf_writer(graph_).add_message(5, bytes);
    return *this;
  }

  std::string File() const {
    std::string bytes;
    protozero::pbf_writer model(bytes);
    model.add_int64(1, 8);
    model.add_string(2, "test");
    model.add_message(7, graph_);
    return bytes;
  }

 private:
  std::string graph_;
};

/// Returns a graph with a patch embedding and one attention, the start of every graph in this file.
Graph Begin() {
  Graph graph;
  graph.Floats("model.patch_embed.proj.weight", {4, 3, 2, 2})
      .Node("Conv", {"image", "model.patch_embed.proj.weight"}, "patches", "conv", {{"strides", {2, 2}}})
      .Node("Softmax", {"logits"}, "probabilities");
  return graph;
}

std::map<std::string, Tensor> Tensors(const Graph& graph) {
  const ScratchFolder folder;
  std::map<std::string, Tensor> tensors = OpenForTest(folder.Write("x.onnx", graph.File())).tensors();
  return tensors;
}

std::string Refusal(const Graph& graph) {
  const ScratchFolder folder;
  return OpenError(folder.Write("x.onnx", graph.File()));
}

TEST_CASE("A weight is named after the bias added to its product, and transposed to a state dict's layout") {
  Graph graph = Begin();
  graph.Floats("onnx::MatMul_9", {2, 3})
      .Floats("model.blocks.0.mlp.fc1.bias", {3})
      .Node("MatMul", {"x", "onnx::MatMul_9"}, "y")
      .Node("Add", {"model.blocks.0.mlp.fc1.bias", "y"}, "z");
  const ScratchFolder folder;
  const Checkpoint checkpoint = OpenForTest(folder.Write("x.onnx", graph.File()));
  CHECK(checkpoint.format() == "ONNX");
  REQUIRE(checkpoint.tensors().contains("blocks.0.mlp.fc1.weight"));
  const Tensor& weight = checkpoint.tensors().at("blocks.0.mlp.fc1.weight");
  CHECK(weight.shape == Sizes{3, 2});
  std::vector<float> values(6);
  ReadF32(weight, values);
  CHECK(values == std::vector<float>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("A query, key or value without bias is named after the norm before it") {
  Graph graph = Begin();
  graph.Floats("blocks.0.norm1.weight", {4})
      .Floats("blocks.0.attn.proj.bias", {4})
      .Floats("val_3", {4, 12})
      .Node("LayerNormalization", {"x", "blocks.0.norm1.weight"}, "normed")
      .Node("MatMul", {"normed", "val_3"}, "qkv");
  CHECK(Tensors(graph).contains("blocks.0.attn.qkv.weight"));

  Graph apart = Begin();
  apart.Floats("layer.0.norm.weight", {4}).Floats("layer.0.attention.o_proj.bias", {4});
  apart.Node("LayerNormalization", {"x", "layer.0.norm.weight"}, "normed");
  for (const char* part : {"q", "k", "v"}) {
    apart.Floats(std::string("val_") + part, {4, 4})
        .Node("MatMul", {"normed", std::string("val_") + part}, part)
        .Node("Reshape", {part, "shape"}, std::string(part) + "_heads");
  }
  apart.Node("MatMul", {"q_heads", "k_heads"}, "logits")
      .Node("Softmax", {"logits"}, "weights")
      .Node("MatMul", {"weights", "v_heads"}, "mixed");
  const std::map<std::string, Tensor> tensors = Tensors(apart);
  for (const char* part : {"q", "k", "v"}) {
    CHECK(tensors.contains(std::string("layer.0.attention.") + part + "_proj.weight"));
  }
}

TEST_CASE("A query that was split from key and value is joined with them") {
  Graph graph = Begin();
  graph.Floats("head.attention.out_proj.weight", {2, 2})
      .Floats("onnx::MatMul_1", {2, 2})
      .Floats("onnx::Add_1", {2})
      .Floats("onnx::MatMul_2", {2, 4})
      .Floats("onnx::Add_2", {4})
      .Node("MatMul", {"x", "onnx::MatMul_1"}, "q", "/head/attention/MatMul")
      .Node("Add", {"q", "onnx::Add_1"}, "query")
      .Node("MatMul", {"x", "onnx::MatMul_2"}, "kv", "/head/attention/MatMul_1")
      .Node("Add", {"kv", "onnx::Add_2"}, "key_value");
  const ScratchFolder folder;
  const Checkpoint checkpoint = OpenForTest(folder.Write("x.onnx", graph.File()));
  const Tensor& weight = checkpoint.tensors().at("head.attention.in_proj_weight");
  CHECK(weight.shape == Sizes{6, 2});
  std::vector<float> values(12);
  ReadF32(weight, values);
  CHECK(values == std::vector<float>{0, 2, 1, 3, 0, 4, 1, 5, 2, 6, 3, 7});
  CHECK(checkpoint.tensors().at("head.attention.in_proj_bias").shape == Sizes{6});
}

TEST_CASE("A learnt query is named after the attention that reads it, or refused") {
  Graph graph = Begin();
  graph.Floats("head.attention.in_proj_weight", {6, 2})
      .Floats("transpose_9", {1, 1, 2})
      .Node("Split", {"head.attention.in_proj_weight"}, "query_weight")
      .Node("MatMul", {"transpose_9", "query_weight"}, "query");
  CHECK(Tensors(graph).contains("head.probe"));
  Graph folded = Begin();
  folded.Floats("val_204", {1, 2, 1, 2}).Node("MatMul", {"val_204", "keys"}, "logits", "node_9");
  CHECK_THAT(Refusal(folded), ContainsSubstring("node node_9 (MatMul) reads a learnt query"));
}

TEST_CASE("A weight without a named neighbour is refused with its node") {
  Graph graph = Begin();
  graph.Floats("val_3", {4, 12}).Node("MatMul", {"x", "val_3"}, "y", "node_7");
  CHECK(Refusal(graph) ==
        "x.onnx: node node_7 (MatMul) has a weight without a name, val_3 [12, 4], and no named bias or norm "
        "next to it");
}

TEST_CASE("A graph that is not a plain Vision Transformer is refused with its node") {
  const auto refusal = [](const char* op, const char* domain = "") {
    Graph graph = Begin();
    return Refusal(graph.Node(op, {"x"}, "y", "n", {}, domain));
  };
  CHECK(refusal("BatchNormalization") ==
        "x.onnx: node n (BatchNormalization) is not part of a plain Vision Transformer");
  CHECK_THAT(refusal("DequantizeLinear"), ContainsSubstring("is already quantized"));
  CHECK_THAT(refusal("SkipLayerNormalization", "com.microsoft"), ContainsSubstring("graph optimizer"));
  const auto convolution = [](const Sizes& strides, const std::map<std::string, Sizes>& more) {
    Graph graph;
    std::map<std::string, Sizes> attributes = more;
    attributes["strides"] = strides;
    return Refusal(
        graph.Floats("w.weight", {4, 3, 7, 7}).Node("Conv", {"x", "w.weight"}, "y", "stem", attributes));
  };
  CHECK(convolution({2, 2}, {}) ==
        "x.onnx: node stem (Conv) is a convolution of 7x7 with stride 2x2, not a patch embedding: this is "
        "not a "
        "plain Vision Transformer");
  CHECK_THAT(convolution({7, 7}, {{"pads", {3, 3, 3, 3}}}), ContainsSubstring("not a patch embedding"));
  CHECK(convolution({7, 7}, {}) == "x.onnx has no attention: this is not a Vision Transformer");
  CHECK_THAT(Refusal(Graph()), ContainsSubstring("no patch embedding"));
}

TEST_CASE("Weights in another file are read, and an error says when it is missing") {
  Graph graph = Begin();
  graph.Floats("blocks.0.norm1.weight", {4}, "x.onnx.data");
  const ScratchFolder folder;
  const std::filesystem::path path = folder.Write("x.onnx", graph.File());
  CHECK(OpenError(path) == "x.onnx has its weights in x.onnx.data, which is not in the same folder");
  folder.Write("x.onnx.data", std::string(19, '\0'));
  CHECK(OpenError(path) ==
        "x.onnx.data is cut short: x.onnx: blocks.0.norm1.weight ends at byte 20, the file has 19");
  folder.Write("x.onnx.data", std::string(20, '\0'));
  CHECK(OpenError(path).empty());
  CHECK(OpenForTest(path).files().size() == 2);

  Graph outside = Begin();
  outside.Floats("blocks.0.norm1.weight", {4}, "../x.onnx.data");
  CHECK_THAT(Refusal(outside), ContainsSubstring("which is not a file name in the same folder"));
}

TEST_CASE("A tensor whose size does not match its shape is refused") {
  std::string file = Begin().File();
  const size_t at = file.find("model.patch_embed.proj.weight");
  REQUIRE(at != std::string::npos);
  const size_t sizes = file.rfind("\x08\x04\x08\x03", at);  // dims: 4, 3, ...
  REQUIRE(sizes != std::string::npos);
  file[sizes + 1] = 5;
  const ScratchFolder folder;
  CHECK_THAT(OpenError(folder.Write("x.onnx", file)),
             ContainsSubstring("is F32 [5, 3, 2, 2], but takes 192 bytes"));
}

TEST_CASE("A graph with missing or changed bytes never crashes") {
  Graph graph = Begin();
  graph.Floats("onnx::MatMul_9", {2, 3})
      .Floats("blocks.0.mlp.fc1.bias", {3})
      .Floats("expand", {1, 1, 4})
      .Node("Concat", {"expand", "patches"}, "tokens")
      .Node("MatMul", {"x", "onnx::MatMul_9"}, "y")
      .Node("Add", {"y", "blocks.0.mlp.fc1.bias"}, "z")
      .Node("Identity", {"a"}, "b")
      .Node("Identity", {"b"}, "a");
  const std::string whole = graph.File();
  const ScratchFolder folder;
  for (size_t length = 0; length < whole.size(); ++length)
    OpenError(folder.Write("x.onnx", whole.substr(0, length)));
  std::mt19937 random(20240607);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = whole;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const std::string error = OpenError(folder.Write("x.onnx", damaged));
    CHECK(error.find('\n') == std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine::checkpoint
