// SPDX-License-Identifier: Apache-2.0
// Segment: a part of a model in memory, lowered by a plan, and run.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "converter/vit/vit.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// Segment 0 is the embedding, 1 to L are the blocks, L + 1 is the head. Tokens f32 [T, D] go from one to the
/// next. kWhole is all of them.
class Segment {
 public:
  static constexpr int kWhole = -1;

  /// A linear layer whose weights are f32.
  struct Linear {
    std::string name;
    std::string rows;  ///< the tensor that it reads
    size_t outputs, inputs;
    std::span<const float> weight;  ///< [outputs, inputs]
  };
  /// An activation between two linear layers that a table can do.
  struct Table {
    std::string input, output;
    schema::Function function;
  };

  Segment(const Vit& vit, int index, const Plan& plan, int threads);
  ~Segment();

  /// Runs on `input`, the image's pixels or the tokens, and returns tokens, or the model's output. The result
  /// is overwritten by the next run.
  std::span<const float> Run(std::span<const uint8_t> input, const Observer& observer = {});

  std::span<const OperatorInfo> operators() const { return model_->operators(); }
  /// What an operator has given, as f32; only inside an observer.
  void Read(int operator_index, std::vector<float>* values) const;

  const std::vector<Linear>& linears() const { return linears_; }
  const std::vector<Table>& tables() const { return tables_; }

 private:
  class File;

  std::unique_ptr<File> file_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Session> session_;
  std::vector<Linear> linears_;
  std::vector<Table> tables_;
};

}  // namespace vitrine
