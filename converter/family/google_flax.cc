// SPDX-License-Identifier: Apache-2.0
// Google's original checkpoints, .npz of google-research/vision_transformer (vit_jax) and big_vision.
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {

const Family& GoogleFlax() {
  static const Family family = {
      .name = "google",
      .title = "Google Vision Transformer",
      .prefixes = {"opt/target/", "params/"},
      .slots =
          {
              {Slot::kClassToken, "cls", SlotName::kSometimes},
              {Slot::kPositions, "Transformer/posembed_input/pos_embedding"},
              {Slot::kPositions, "pos_embedding"},
              {Slot::kPatch, "embedding/*"},

              {Slot::kNorm1, "Transformer/encoderblock_{}/LayerNorm_0/*"},
              {Slot::kQuery, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_1/query/*"},
              {Slot::kKey, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_1/key/*"},
              {Slot::kValue, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_1/value/*"},
              {Slot::kProjection, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_1/out/*"},
              {Slot::kNorm2, "Transformer/encoderblock_{}/LayerNorm_2/*"},
              {Slot::kFc1, "Transformer/encoderblock_{}/MlpBlock_3/Dense_0/*"},
              {Slot::kFc2, "Transformer/encoderblock_{}/MlpBlock_3/Dense_1/*"},

              {Slot::kQuery, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_0/query/*"},
              {Slot::kKey, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_0/key/*"},
              {Slot::kValue, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_0/value/*"},
              {Slot::kProjection, "Transformer/encoderblock_{}/MultiHeadDotProductAttention_0/out/*"},
              {Slot::kNorm2, "Transformer/encoderblock_{}/LayerNorm_1/*"},
              {Slot::kFc1, "Transformer/encoderblock_{}/MlpBlock_0/Dense_0/*"},
              {Slot::kFc2, "Transformer/encoderblock_{}/MlpBlock_0/Dense_1/*"},

              {Slot::kNorm, "Transformer/encoder_norm/*"},
              {Slot::kPooler, "pre_logits/*", SlotName::kSometimes},
              {Slot::kClassifier, "head/*", SlotName::kSometimes},
          },
      .order = Order::kFlax,
      .positions = PositionFilter::kBicubicAntialiased,
      .image = {.crop_fraction = 0.9, .mean = kHalf, .deviation = kHalf},
  };
  return family;
}

}  // namespace vitrine
