// SPDX-License-Identifier: Apache-2.0
// The parameters of an ONNX graph under the names that they have in the model's own state dict.
//
// Exporters fold: a linear layer's weight is written transposed under a name like "onnx::MatMul_261", a class
// token as "expand", interpolated positions as "cat_1". Such a tensor is named by what stands beside it in
// the graph:
//
//   a linear layer's weight   its bias ("blocks.0.mlp.fc1.bias"); else the module that the exporter noted;
//                             else the norm in front of it, for a query, key or value without bias
//   tokens and positions      the patch embedding
#pragma once

#include <map>
#include <string>

#include "converter/checkpoint/name_patterns.h"
#include "converter/checkpoint/onnx/graph.h"

namespace vitrine::checkpoint {

/// Returns every parameter by its name; views of the model's constants, or of copies that are
/// added to `copies`. Error, naming the node, when the graph is no plain Vision Transformer or a
/// weight cannot be named.
std::map<std::string, Tensor> NameOnnxWeights(const OnnxGraph& graph, const NamePatterns& patterns,
                                              std::vector<std::unique_ptr<std::byte[]>>* copies);

}  // namespace vitrine::checkpoint
