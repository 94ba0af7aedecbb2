// SPDX-License-Identifier: Apache-2.0
// The state of a Model: the mapped file, its verified program, and the descriptions that the public class
// returns.
#pragma once

#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/base/memory.h"
#include "runtime/ops/op.h"
#include "runtime/program/program.h"

namespace vitrine {

struct Model::State {
  MappedFile file;  ///< empty where the caller owns the bytes
  Program program;
  std::vector<std::vector<OperatorInfo>> operators;  ///< of each level
  std::vector<LevelInfo> levels;
  ModelInfo info = {};
  char resize[48] = {};  ///< the text of info.resize

  /// Verifies `bytes` down to the shapes of each operator, and sets all fields except `file`. Fails with
  /// kInvalidModel or kUnsupportedModel.
  Status Load(std::span<const uint8_t> bytes);

 private:
  Status LoadLevel(const Program& level);

  // In the order in which Load() calls them.
  void DescribeOperators(const Program& level, const OpList& ops);
  void DescribeModel();
  void DescribeLevels();
};

}  // namespace vitrine
