// SPDX-License-Identifier: Apache-2.0
// What a checkpoint is: from its configuration first, from its tensors' shapes second, from its family's
// defaults last.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "converter/family/configuration.h"
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {

/// Returns everything of the layout but the image size, which ChooseImageSize adds. What had to be assumed
/// goes into `remarks`. Error when configuration and shapes cannot both be right.
Layout DeduceLayout(const Family& family, const Names& names, const Configuration& configuration,
                    const ConversionInputs& inputs, std::vector<std::string>* remarks);

/// Sets the image size: what the person asked for, else what the preprocessor gives, else what the
/// configuration says, else what the position table was made for. Error when it is smaller than a patch or,
/// asked for, not a multiple of the patch size; a configured size that is none loses the rest at right and
/// bottom, as in the library.
void ChooseImageSize(const Configuration& configuration, const ConversionInputs& inputs, Layout* layout,
                     std::vector<std::string>* remarks);

/// Collects facts one after the other; each may use those before it.
class Deduction {
 public:
  Deduction(const Family& family, const Names& names, const Configuration& configuration,
            const ConversionInputs& inputs, std::vector<std::string>* remarks)
      : family_(family), names_(names), model_(configuration.model), inputs_(inputs), remarks_(*remarks) {}

  Layout Run();

 private:
  struct Voters {
    Part part;
    size_t dimension;
  };

  // Sizes, in deduction.cc.
  void DeducePatch();
  void DeduceWidth();
  void DeduceHeads();
  void AssumeHeads(int width);
  void DeduceMlp();
  void DeduceActivation();
  [[noreturn]] void Contradiction(const char* what, int said, int found) const;
  /// The value that most blocks have, so that one misshapen tensor is named and not believed.
  /// 0 when there is none.
  int MostCommon(Slot slot, std::initializer_list<Voters> voters) const;
  /// Outputs and inputs of a block's linear layer in the file's order.
  int Outputs(Slot slot) const;
  int Inputs(Slot slot) const;

  // Tokens before and behind the blocks, in deduction_tokens.cc.
  void DeducePositions();
  void DeducePositionBias();
  /// No cells where there is no size.
  PatchGrid PatchesOf(const std::optional<ImageSize>& size) const;
  bool TakeGrid(PatchGrid grid, int prefix);
  void DeduceClasses();
  void DeducePooling();

  /// A dimension as an int; files hold any number. 0 when it is none that a model has.
  static int Whole(int64_t value) { return value > 0 && value <= (1 << 24) ? static_cast<int>(value) : 0; }

  const Family& family_;
  const Names& names_;
  const JsonObject& model_;
  const ConversionInputs& inputs_;
  std::vector<std::string>& remarks_;
  Layout layout_;
  VitConfig& config_ = layout_.config;
};

}  // namespace vitrine
