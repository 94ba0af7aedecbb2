// SPDX-License-Identifier: Apache-2.0
// Reference: the model in f32, run a layer at a time, so that no more than one layer of f32 weights is ever
// in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "converter/vit/vit.h"
#include "converter/measure/segment.h"

namespace vitrine {

/// Runs the folded and lowered f32 operators of a model on several images, segment by segment:
/// 0 is the embedding, 1 to L are the blocks, L + 1 is the head.
class Reference {
 public:
  /// `inputs` are u8 model inputs; `vit` must outlive this object.
  Reference(const Vit& vit, std::vector<std::vector<uint8_t>> inputs, int threads,
            const Plan& plan = Plan(Recipe::kF32));

  bool done() const { return segment_ > vit_.config.depth + 1; }

  /// Is told of each operator that has run on image `image`.
  using Follower = std::function<void(const Segment& segment, size_t image, int operator_index)>;

  /// Runs the next segment on every image. Afterwards `first_image()` has what each of its operators gave for
  /// the first, unless a follower was told of all of them.
  void Advance(const Follower& follower = {});
  int segment() const { return segment_; }  ///< that runs next

  /// By operator name; of the last segment that ran.
  const std::map<std::string, std::vector<float>>& first_image() const { return first_image_; }

  /// Of each image: the tokens that the next segment reads. Once done: logits, or embeddings where the model
  /// has no classifier.
  const std::vector<std::vector<float>>& outputs() const { return values_; }

 private:
  const Vit& vit_;
  const int threads_;
  const Plan plan_;  // f32
  int segment_ = 0;
  std::vector<std::vector<uint8_t>> inputs_;  // freed once embedded
  std::vector<std::vector<float>> values_;    // tokens between segments, outputs at the end
  std::map<std::string, std::vector<float>> first_image_;
};

}  // namespace vitrine
