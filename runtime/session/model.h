// SPDX-License-Identifier: Apache-2.0
// What a Model holds: the mapped file, its verified program, and what it says of itself.
#pragma once

#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/base/mapped_file.h"
#include "runtime/program/program.h"

namespace vitrine {

struct Model::State {
  MappedFile file;  ///< empty where the caller owns the bytes
  Program program;
  std::vector<std::vector<OperatorInfo>> operators;  ///< of each level
  std::vector<LevelInfo> levels;
  ModelInfo info = {};
  char resize[48] = {};

  /// Verifies `bytes` down to each operator's shapes, and fills everything but `file`.
  Status Load(std::span<const uint8_t> bytes);

 private:
  Status LoadLevel(const Program& level);
  void DescribeModel();
  void DescribeLevels();
};

}  // namespace vitrine
