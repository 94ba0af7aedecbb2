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

/// Returns the layout without the image size, which ChooseImageSize sets. Adds assumptions to `remarks`.
/// Error when configuration and shapes contradict each other.
Layout DeduceLayout(const Family& family, const Names& names, const Configuration& configuration,
                    const ConversionInputs& inputs, std::vector<std::string>* remarks);

/// Sets the image size: that of --image-size, else the preprocessor's, else the configuration's, else the
/// position table's. Error when it is smaller than a patch, or when --image-size is not a multiple of the
/// patch size. A configured size need not be one: the rest at the right and bottom is not read, as in the
/// library.
void ChooseImageSize(const Configuration& configuration, const ConversionInputs& inputs, Layout* layout,
                     std::vector<std::string>* remarks);

/// Deduces one fact after the other; each may use the earlier ones.
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
  [[noreturn]] void Contradiction(const char* what, int configured, int found) const;
  /// Returns the value that most blocks have, so that one tensor with a wrong shape does not decide; 0 when
  /// no block has any.
  int MostCommon(Slot slot, std::initializer_list<Voters> voters) const;
  /// Return the outputs and inputs of a block's linear layer.
  int Outputs(Slot slot) const;
  int Inputs(Slot slot) const;

  // Tokens before and after the blocks, in deduction_tokens.cc.
  void DeducePositions();
  void DeducePositionBias();
  /// Returns a grid without cells when there is no size.
  PatchGrid PatchesOf(const std::optional<ImageSize>& size) const;
  bool TakeGrid(PatchGrid grid, int prefix);
  void DeduceClasses();
  void DeducePooling();

  /// Returns a file's dimension as an int; 0 when no model has such a dimension.
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
