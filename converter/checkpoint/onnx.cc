// SPDX-License-Identifier: Apache-2.0
// ONNX: the weights that a graph was exported with, under the names that they have in the state dict.
#include <iterator>
#include <string_view>

#include "converter/checkpoint/contents.h"
#include "converter/checkpoint/onnx/graph.h"
#include "converter/checkpoint/onnx/model.h"
#include "converter/checkpoint/onnx/settings.h"
#include "converter/checkpoint/onnx/weights.h"

namespace vitrine::checkpoint {

// A protobuf has no magic: field 1, the version of the format, is one byte, and behind it comes field 2, the
// producer's name, or field 7 or 8, the graph or the operator set.
bool LooksLikeOnnx(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.size() > 3 && text[0] == 0x08 && text[1] > 0 && text[1] < 32 &&
         (text[2] == 0x12 || text[2] == 0x3a || text[2] == 0x42);
}

Contents ReadOnnx(const MappedFile& file, const NamePatterns& patterns) {
  OnnxModel model = ParseOnnx(file);
  std::vector<std::unique_ptr<std::byte[]>> copies;
  Contents contents;
  contents.format = "ONNX";
  contents.omits_zeros = true;
  {
    const OnnxGraph graph(model);
    contents.tensors = NameOnnxWeights(graph, patterns, &copies);
    contents.metadata["graph"] = OnnxSettings(graph);
  }
  contents.inflated = std::move(model.copies);
  std::move(copies.begin(), copies.end(), std::back_inserter(contents.inflated));
  contents.data_files = std::move(model.data_files);
  return contents;
}

}  // namespace vitrine::checkpoint
