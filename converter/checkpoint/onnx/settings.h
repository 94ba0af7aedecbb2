// SPDX-License-Identifier: Apache-2.0
// What an ONNX graph says of its model beside the weights.
#pragma once

#include <nlohmann/json.hpp>

#include "converter/checkpoint/onnx/graph.h"

namespace vitrine::checkpoint {

/// Returns settings under the names that configurations have, each only where the graph is clear about it:
///
///   num_heads       from the shape that queries are brought to
///   layer_norm_eps  from the first norm
///   act_layer       "gelu", "gelu_tanh", "quick_gelu" or "silu"
///   qk_scale        from the factors between queries, keys and softmax, where it is not head_size^-0.5
///   global_pool     "avg" where the tokens' mean is taken
///   img_size        [height, width] of the input
nlohmann::json OnnxSettings(const OnnxGraph& graph);

}  // namespace vitrine::checkpoint
