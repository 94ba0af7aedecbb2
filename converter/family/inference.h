// SPDX-License-Identifier: Apache-2.0
// The steps by which a checkpoint's layout is found out.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "converter/family/layout.h"

namespace vitrine {

/// Collects facts one after the other; each may use those before it.
class Inference {
 public:
  Inference(const Family& family, const Names& names, const Configuration& configuration,
            const ConversionInputs& inputs, std::vector<std::string>* remarks)
      : family_(family), names_(names), model_(configuration.model), inputs_(inputs), remarks_(*remarks) {}

  Layout Run();

 private:
  struct Voters {
    Part part;
    size_t dimension;
  };

  // Sizes, in inference_sizes.cc.
  void InferPatch();
  void InferWidth();
  void InferHeads();
  void AssumeHeads(int width);
  void InferMlp();
  void InferActivation();
  [[noreturn]] void Contradiction(const char* what, int said, int found) const;
  /// The value that most blocks have, so that one misshapen tensor is named and not believed.
  /// 0 when there is none.
  int MostCommon(Slot slot, std::initializer_list<Voters> voters) const;
  /// Outputs and inputs of a block's linear layer in the file's order.
  int Outputs(Slot slot) const;
  int Inputs(Slot slot) const;

  // Tokens before and behind the blocks, in inference_tokens.cc.
  void InferPositions();
  void InferPositionBias();
  /// No cells where there is no size.
  PatchGrid PatchesOf(const std::optional<ImageSize>& size) const;
  bool TakeGrid(PatchGrid grid, int prefix);
  void InferClasses();
  void InferPooling();

  /// A dimension as an int; files hold any number. 0 when it is none that a model has.
  static int Whole(int64_t value) { return value > 0 && value <= (1 << 24) ? static_cast<int>(value) : 0; }

  const Family& family_;
  const Names& names_;
  const Settings& model_;
  const ConversionInputs& inputs_;
  std::vector<std::string>& remarks_;
  Layout layout_;
  VitConfig& config_ = layout_.config;
};

}  // namespace vitrine
