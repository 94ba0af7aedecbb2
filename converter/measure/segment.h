// SPDX-License-Identifier: Apache-2.0
// Runs parts of a model in memory: Segment runs one part by any plan, Reference runs all parts in turn in f32.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "converter/quantize/layer.h"
#include "converter/quantize/plan.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// Runs `session` and calls `after`, unless it is empty, with the index of each operator that has run. The runtime is
/// compiled without exceptions: when `after` throws, it is not called again, and the exception is thrown once the run
/// has ended.
Status RunSession(Session* session, const std::function<void(int)>& after = {});

/// Segment 0 is the embedding, 1 to L are the blocks, L + 1 is the head. Tokens f32 [T, D] go from one to the next.
/// kWhole is all of them.
class Segment {
 public:
  static constexpr int kWhole = -1;

  /// A linear layer whose weights are f32.
  struct Linear {
    Layer layer;
    Layer rows;  ///< the layer whose output it reads
    size_t outputs, inputs;
    std::span<const float> weight;  ///< [outputs, inputs]
  };
  /// An activation between two linear layers, which a table can compute.
  struct Table {
    Layer input, output;
    schema::Function function;
  };

  /// Loads, folds and lowers a part of `vit` by `plan`. Throws Error when it does not run.
  Segment(const Vit& vit, int index, const Plan& plan, int threads);
  ~Segment();

  /// Runs on `input`, the image's pixels or the tokens, and returns the tokens or the model's output, which the next
  /// run overwrites. Calls `after` as RunSession does.
  std::span<const float> Run(std::span<const uint8_t> input, const std::function<void(int)>& after = {});

  std::span<const OperatorInfo> operators() const { return model_->operators(); }
  /// Returns the layer of an operator.
  const Layer& layer(int operator_index) const { return layers_[static_cast<size_t>(operator_index)]; }
  /// Reads the output of an operator as f32. Only inside `after`.
  void Read(int operator_index, std::vector<float>* values) const;

  const std::vector<Linear>& linears() const { return linears_; }
  const std::vector<Table>& tables() const { return tables_; }

 private:
  class File;

  std::unique_ptr<File> file_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Session> session_;
  std::vector<Layer> layers_;
  std::vector<Linear> linears_;
  std::vector<Table> tables_;
};

/// Runs a model's f32 operators on several images, segment by segment, so that no more than one layer of f32 weights
/// is in memory.
class Reference {
 public:
  /// `inputs` are u8 model inputs; `vit` must outlive this object.
  Reference(const Vit& vit, std::vector<std::vector<uint8_t>> inputs, int threads,
            const Plan& plan = Plan(Recipe::kF32));

  bool done() const { return segment_ > vit_.config.depth + 1; }

  /// Called after each operator has run on image `image`.
  using Follower = std::function<void(const Segment& segment, size_t image, int operator_index)>;

  /// Runs the next segment on every image. Without a follower, first_image() then has the outputs of the segment's
  /// layers for the first image. What the follower throws is thrown again.
  void Advance(const Follower& follower = {});

  /// Returns the outputs of the layers of the last segment that ran.
  const std::map<Layer, std::vector<float>>& first_image() const { return first_image_; }

  /// Returns for each image the tokens that the next segment reads. At the end: the logits, or the embedding of a
  /// model without a classifier.
  const std::vector<std::vector<float>>& outputs() const { return values_; }

 private:
  const Vit& vit_;
  const int threads_;
  const Plan plan_;
  int segment_ = 0;                           // that runs next
  std::vector<std::vector<uint8_t>> inputs_;  // freed after the embedding
  std::vector<std::vector<float>> values_;    // tokens between segments, outputs at the end
  std::map<Layer, std::vector<float>> first_image_;
};

}  // namespace vitrine
