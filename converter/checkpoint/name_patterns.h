// SPDX-License-Identifier: Apache-2.0
// NamePatterns: what models call their parameters. Readers know no model family; converter/family makes this from
// its tables.
#pragma once

#include <array>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace vitrine::checkpoint {

/// Names are compared with the end of a tensor's name, because wrapping modules add prefixes. An empty name: the
/// model has no such parameter.
struct NamePatterns {
  /// The parameters before the blocks, next to the patch embedding.
  struct Embedding {
    std::string patch;  ///< "patch_embed.proj"
    std::string class_token, distillation_token, registers, positions;
  };
  /// The linear layers of a block's attention, without the block's own name.
  struct Attention {
    std::string projection;            ///< ".attn.proj"
    std::array<std::string, 3> parts;  ///< query, key, value; one layer for all three: ".attn.qkv", "", ""
  };
  /// Layer scale: the module's name in a block and its parameter's, ".ls1" and ".gamma".
  struct Scale {
    std::string module, parameter;
  };
  /// Attention pooling's learnt query and the weight that multiplies it.
  struct LearntQuery {
    std::string weight, query;
  };
  /// A head that only training needs, saved next to the backbone.
  struct TrainingHead {
    std::string title;                  ///< for people
    std::string sign;                   ///< a tensor that the backbone has
    std::vector<std::string> prefixes;  ///< of the head's tensors
  };

  std::set<std::string, std::less<>> plain;  ///< parameters whose names have no dot: "cls_token"
  std::vector<Embedding> embeddings;
  std::vector<Attention> attentions;
  std::vector<Scale> scales;
  std::vector<LearntQuery> learnt_queries;
  std::vector<TrainingHead> training_heads;
};

}  // namespace vitrine::checkpoint
