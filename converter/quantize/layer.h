// SPDX-License-Identifier: Apache-2.0
// Layer: the name of a layer as a value. Text is made from it once, for people.
#pragma once

#include <compare>
#include <string>

namespace vitrine {

/// What a layer is, in the order in which layers run. A layer is an operator of the model file and the tensor that
/// it writes. To add a kind, add it here and in FactsOf.
enum class Kind {
  // Embedding
  kImage,  ///< the model's input, a tensor without an operator
  kPatchPixels,
  kPatchEmbedding,
  kPatchNorm,
  kPositions,
  kTokens,  ///< the residual stream
  kPreNorm,
  // Block
  kNorm1,
  kQkv,
  kQuery,  ///< the last block may compute queries apart, for the rows that the head reads
  kKeyAndValue,
  kQueryNorm,
  kKeyNorm,
  kRotate,
  kAttention,
  kAttentionNorm,
  kProjection,
  kMerge,
  kNorm2,
  kFc1,
  kActivation,
  kMlpNorm,
  kFc2,
  // Head
  kNorm,
  kPoolQuery,  // attention pooling, from here
  kPoolKeyAndValue,
  kPoolAttention,
  kPoolProjection,
  kPoolNorm2,
  kPoolFc1,
  kPoolActivation,
  kPoolFc2,
  kPoolOutput,  // to here
  kPool,
  kClassToken,
  kPoolNorm,
  kPooler,
  kPoolerTanh,
  kHead,
};

/// A layer of a model. Compares in the order of blocks and kinds.
struct Layer {
  int block;  ///< counts from 1; 0 outside the blocks
  Kind kind;

  auto operator<=>(const Layer&) const = default;
};

/// What the converter has to know about a kind of layer.
struct LayerFacts {
  /// Which weights the layer has.
  enum class Weights {
    kNone,    ///< no linear layer
    kPixels,  ///< reads pixels, which are exact in int8
    kTrunk,   ///< reads activations that calibration observes
    kLast,    ///< read last; stays f32 unless it is a large part of the model
  };
  /// Whether something before the layer's output can divide its columns: a norm's gamma, the value's weights, the
  /// value half of a gated MLP.
  enum class Smoothing { kNever, kAlways, kIfGated };

  const char* name;  ///< for people and for the file, without the block
  Weights weights;
  Smoothing smoothing;
  bool feeds_table;  ///< the output may be static int8 that an activation looks up in a table
};

/// Returns the facts of a kind. A kind without an entry does not compile.
LayerFacts FactsOf(Kind kind);

/// Returns the layer's name for people and for the file: "block 3 fc1", "patch embedding".
std::string NameOf(const Layer& layer);

}  // namespace vitrine
