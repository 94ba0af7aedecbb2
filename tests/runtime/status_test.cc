// SPDX-License-Identifier: Apache-2.0
#include <vitrine/status.hpp>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>
#include <string>

namespace vitrine {
namespace {

TEST_CASE("A status is ok until it is an error") {
  CHECK(Status().ok());
  const Status status = Status::Error(Code::kInvalidModel, "block %d fc1: weight is %dx%d", 7, 384, 1536);
  CHECK_FALSE(status.ok());
  CHECK(status.code() == Code::kInvalidModel);
  CHECK(std::string(status.message()) == "block 7 fc1: weight is 384x1536");
}

TEST_CASE("A status cuts long messages") {
  const Status status = Status::Error(Code::kNotFound, "%s", std::string(1000, 'x').c_str());
  CHECK(std::strlen(status.message()) == Status::kMessageCapacity - 1);
}

TEST_CASE("A result moves its value out and destroys it once") {
  auto counted = std::make_shared<int>(1);
  {
    Result<std::shared_ptr<int>> result(counted);
    REQUIRE(result.ok());
    Result<std::shared_ptr<int>> moved(std::move(result));
    const std::shared_ptr<int> out = std::move(moved).value();
    CHECK(out == counted);
  }
  CHECK(counted.use_count() == 1);
}

}  // namespace
}  // namespace vitrine
