// SPDX-License-Identifier: Apache-2.0
// Runs the models that the host has converted: on ARM, in the emulator.
#include <catch2/catch_test_macros.hpp>

#include "tests/end_to_end/golden/golden_files.h"

namespace vitrine {
namespace {

TEST_CASE("EveryModelThatTheHostConvertedGivesItsLibrarysOutput") {
  const std::vector<Golden> goldens = ReadGoldens();
  if (goldens.empty()) SKIP("build/golden is empty: run the host's tests first");
  for (const Golden& golden : goldens) CheckGolden(golden);
}

}  // namespace
}  // namespace vitrine
