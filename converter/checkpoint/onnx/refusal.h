// SPDX-License-Identifier: Apache-2.0
// What tells that an ONNX graph is no Vision Transformer, or not one with weights to read.
#pragma once

#include "converter/checkpoint/onnx/graph.h"

namespace vitrine::checkpoint {

/// Error that names the first node that a plain ViT does not have: a convolution that is no patch embedding,
/// pooling, batch normalization, recurrence, quantized operators, an optimizer's own; or that there is no
/// attention at all.
void RefuseForeignGraph(const OnnxGraph& graph);

}  // namespace vitrine::checkpoint
