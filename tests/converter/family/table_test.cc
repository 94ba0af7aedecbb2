// SPDX-License-Identifier: Apache-2.0
// Every family in the table of models/README.md is tested.
#include <catch2/catch_test_macros.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "tests/support/fixture.h"

namespace vitrine {
namespace {

TEST_CASE("EveryFamilyInTheTableOfModelsHasATestedFixture") {
  std::set<std::string> tested;
  for (const ModelFixture& fixture : CommittedFixtures()) tested.insert(fixture.name);
  const std::vector<ModelFixture> wide = WideFixtures();
  for (const ModelFixture& fixture : wide) tested.insert(fixture.name);

  const std::string text = checkpoint::ReadBytes(VITRINE_SOURCE_DIR "/models/README.md");
  std::istringstream lines(text.substr(text.find("| family | variant | state | fixture |")));
  int rows = 0;
  for (std::string line; std::getline(lines, line) && line.starts_with("|");) {
    if (line.find("| yes |") == std::string::npos) continue;
    ++rows;
    INFO(line);
    const std::string fixtures = line.substr(line.rfind("| yes |"));
    const std::regex name("`([a-z0-9_]+)`");
    int named = 0;
    for (std::sregex_iterator match(fixtures.begin(), fixtures.end(), name), end; match != end;
         ++match, ++named) {
      INFO((*match)[1]);
      if (!wide.empty()) CHECK(tested.contains((*match)[1]));
    }
    CHECK(named > 0);
  }
  CHECK(rows > 30);
}

}  // namespace
}  // namespace vitrine
