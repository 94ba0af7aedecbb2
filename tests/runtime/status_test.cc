// SPDX-License-Identifier: Apache-2.0
#include <vitrine/status.hpp>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>
#include <new>
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

/// Memory of a Status, filled with a pattern. It is accessed as volatile, because a compiler may drop writes
/// before an object's lifetime and guess what uninitialized bytes contain.
class Poisoned {
 public:
  static constexpr unsigned char kPoison = 0xA5;
  static constexpr size_t kWord = 8;  ///< bytes that a compiler may write at once where two are enough

  Poisoned() {
    for (volatile unsigned char& byte : bytes_) byte = kPoison;
  }
  void* memory() { return const_cast<unsigned char*>(bytes_); }
  size_t CountTouched() const {
    size_t touched = 0;
    for (const volatile unsigned char& byte : bytes_) touched += byte != kPoison;
    return touched;
  }

 private:
  alignas(Status) volatile unsigned char bytes_[sizeof(Status)];
};

TEST_CASE("An ok status neither fills nor copies its message") {
  Poisoned fresh, copied, assigned;
  const Status* status = new (fresh.memory()) Status;
  CHECK(status->ok());
  CHECK(status->message()[0] == '\0');
  CHECK(fresh.CountTouched() <= Poisoned::kWord);

  CHECK((new (copied.memory()) Status(*status))->ok());
  CHECK(copied.CountTouched() <= Poisoned::kWord);

  Status* other = new (assigned.memory()) Status;
  *other = *status;
  CHECK(other->ok());
  CHECK(assigned.CountTouched() <= Poisoned::kWord);
}

TEST_CASE("A copy of a failed status has its text and not the bytes after it") {
  const Status status = Status::Error(Code::kNotFound, "no file");
  Poisoned copied;
  const Status* copy = new (copied.memory()) Status(status);
  CHECK(copy->code() == Code::kNotFound);
  CHECK(std::string(copy->message()) == "no file");
  CHECK(copied.CountTouched() <= Poisoned::kWord + sizeof "no file");
}

TEST_CASE("A status can be assigned from any other and from itself") {
  const Status longer = Status::Error(Code::kNotFound, "a longer message"), ok;
  Status status = Status::Error(Code::kInternal, "short");
  status = longer;
  CHECK(std::string(status.message()) == "a longer message");
  const Status& itself = status;
  status = itself;
  CHECK(status.code() == Code::kNotFound);
  CHECK(std::string(status.message()) == "a longer message");
  status = Status::Error(Code::kInternal, "short");
  CHECK(std::string(status.message()) == "short");
  status = ok;
  CHECK(status.ok());
  CHECK(status.message()[0] == '\0');
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
