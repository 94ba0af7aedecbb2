// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/layer.h"

namespace vitrine {
namespace {

using enum LayerFacts::Weights;
using enum LayerFacts::Smoothing;

constexpr LayerFacts WithoutWeights(const char* name) { return {name, kNone, kNever, false}; }
constexpr LayerFacts Smoothed(const char* name) { return {name, kNone, kAlways, false}; }
constexpr LayerFacts Linear(const char* name) { return {name, kTrunk, kNever, false}; }

}  // namespace

LayerFacts FactsOf(Kind kind) {
  switch (kind) {
    case Kind::kImage:
      return WithoutWeights("image");
    case Kind::kPatchPixels:
      return WithoutWeights("patch pixels");
    case Kind::kPatchEmbedding:
      return {"patch embedding", kPixels, kNever, false};
    case Kind::kPatchNorm:
      return WithoutWeights("patch norm");
    case Kind::kPositions:
      return WithoutWeights("positions");
    case Kind::kTokens:
      return WithoutWeights("tokens");
    case Kind::kPreNorm:
      return WithoutWeights("pre norm");
    case Kind::kNorm1:
      return Smoothed("norm1");
    case Kind::kQkv:
      return Linear("qkv");
    case Kind::kQuery:
      return Linear("query");
    case Kind::kKeyAndValue:
      return Linear("key and value");
    case Kind::kQueryNorm:
      return WithoutWeights("query norm");
    case Kind::kKeyNorm:
      return WithoutWeights("key norm");
    case Kind::kRotate:
      return WithoutWeights("rotate");
    case Kind::kAttention:
      return Smoothed("attention");
    case Kind::kAttentionNorm:
      return Smoothed("attention norm");
    case Kind::kProjection:
      return Linear("projection");
    case Kind::kMerge:
      return WithoutWeights("merge");
    case Kind::kNorm2:
      return Smoothed("norm2");
    case Kind::kFc1:
      return {"fc1", kTrunk, kNever, true};
    case Kind::kActivation:
      return {"activation", kNone, kIfGated, false};
    case Kind::kMlpNorm:
      return Smoothed("mlp norm");
    case Kind::kFc2:
      return Linear("fc2");
    case Kind::kNorm:
      return WithoutWeights("norm");
    case Kind::kPoolQuery:
      return WithoutWeights("pool query");
    case Kind::kPoolKeyAndValue:
      return Linear("pool key and value");
    case Kind::kPoolAttention:
      return WithoutWeights("pool attention");
    case Kind::kPoolProjection:
      return Linear("pool projection");
    case Kind::kPoolNorm2:
      return WithoutWeights("pool norm2");
    case Kind::kPoolFc1:
      return {"pool fc1", kTrunk, kNever, true};
    case Kind::kPoolActivation:
      return WithoutWeights("pool activation");
    case Kind::kPoolFc2:
      return Linear("pool fc2");
    case Kind::kPoolOutput:
      return WithoutWeights("pool output");
    case Kind::kPool:
      return WithoutWeights("pool");
    case Kind::kClassToken:
      return WithoutWeights("class token");
    case Kind::kPoolNorm:
      return WithoutWeights("pool norm");
    case Kind::kPooler:
      return {"pooler", kLast, kNever, false};
    case Kind::kPoolerTanh:
      return WithoutWeights("pooler tanh");
    case Kind::kHead:
      return {"head", kLast, kNever, false};
  }
  return {};  // only a cast makes a Kind that is none of these
}

std::string NameOf(const Layer& layer) {
  const std::string name = FactsOf(layer.kind).name;
  return layer.block > 0 ? "block " + std::to_string(layer.block) + " " + name : name;
}

}  // namespace vitrine
