// SPDX-License-Identifier: Apache-2.0
// Tests that the file of packed weights changes only how a session starts, and no results.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vitrine/vitrine.hpp>

#include "tests/support/run.h"
#include "tests/support/tiny_model.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("vitrine_packed_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const char* name) const { return (path_ / name).string(); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(path_), {})); }

 private:
  fs::path path_;
};

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::string& path, const std::string& content) {
  fs::remove(path);  // a session may have the old one mapped
  std::ofstream(path, std::ios::binary) << content;
}

struct Start {
  std::vector<float> logits;
  bool from_file;
};

Start StartAndRun(const Model& model, const char* packed) {
  Result<Session> session = Session::Create(model, {.packed_weights = packed});
  INFO(session.status().message());
  REQUIRE(session.ok());
  std::memset(session.value().input().data(), 63, session.value().input().size());
  REQUIRE(session.value().Run().ok());
  const std::span<const float> logits = session.value().logits();
  return {{logits.begin(), logits.end()}, session.value().packed_from_file()};
}

TEST_CASE("TheSecondStartMapsTheWeightsThatTheFirstPacked") {
  for (const bool int8 : {true, false}) {
    const Folder folder;
    const std::string file = folder / "m.packed";
    testing::ModelBytes bytes = testing::TinyVit(int8);
    const Model model = Model::FromBytes(bytes.bytes()).value();
    const Start plain = StartAndRun(model, nullptr);
    const Start first = StartAndRun(model, file.c_str()), second = StartAndRun(model, file.c_str());
    CHECK_FALSE(first.from_file);
    CHECK(second.from_file);
    CHECK(first.logits == plain.logits);
    CHECK(second.logits == plain.logits);
    CHECK(folder.files() == 1);
  }
}

/// Returns a model with the kinds of Linear that TinyVit does not have: static int8 to f32, static int8 to
/// static int8, and 4-bit weights.
testing::ModelBytes StaticAndInt4() {
  constexpr size_t kRows = 5, kWidth = 64;
  testing::Draft draft;
  ModelBuilder& b = draft.builder;
  b.model.input = b.AddTensor("in", schema::Type::F32, kRows, kWidth);
  int last = b.model.input;
  const auto quantize = [&](schema::Type type) {
    schema::ActivateT op;
    op.input = last;
    last = op.output = b.AddTensor("rows", type, kRows, kWidth);
    if (type == schema::Type::QS8) b.SetStatic(last, 0.05f, 3);
    b.AddOperator("quantize", op);
  };
  const auto linear = [&](bool int4, bool static_output) {
    const std::vector<float> weight =
        testing::RandomValues(kWidth * kWidth, 0.1f, static_cast<uint32_t>(last));
    schema::LinearT op;
    op.input = last;
    op.weight = int4 ? b.AddInt4(QuantizeBlocks("w", weight, kWidth, kWidth))
                     : b.AddInt8(QuantizeRowsSymmetric("w", weight, kWidth, kWidth));
    op.bias = b.AddF32("b", testing::RandomValues(kWidth, 1, 9), 1, kWidth);
    last = op.output = b.AddTensor("out", schema::Type::F32, kRows, kWidth);
    if (static_output) b.SetStatic(last, 0.05f, -4);
    b.AddOperator("linear", op);
  };
  quantize(schema::Type::QS8);
  linear(false, true);
  linear(false, false);
  quantize(schema::Type::QD8);
  linear(true, false);
  b.model.logits = last;
  return draft.Bytes();
}

TEST_CASE("StaticAndInt4WeightsComeFromTheFileToo") {
  const Folder folder;
  const std::string file = folder / "m.packed";
  const testing::ModelBytes bytes = StaticAndInt4();
  const Result<Model> model = Model::FromBytes(bytes.bytes());
  INFO(model.status().message());
  REQUIRE(model.ok());
  const Start first = StartAndRun(model.value(), file.c_str()),
              second = StartAndRun(model.value(), file.c_str());
  CHECK_FALSE(first.from_file);
  CHECK(second.from_file);
  CHECK(second.logits == first.logits);
}

TEST_CASE("ACacheFileThatDoesNotFitIsReplaced") {
  const Folder folder;
  const std::string file = folder / "m.packed";
  const testing::ModelBytes int8_bytes = testing::TinyVit(true), f32_bytes = testing::TinyVit(false);
  const Model model = Model::FromBytes(int8_bytes.bytes()).value();
  const Model other = Model::FromBytes(f32_bytes.bytes()).value();
  const std::vector<float> expected = StartAndRun(model, file.c_str()).logits;
  const std::string whole = Read(file);

  CHECK_FALSE(StartAndRun(other, file.c_str()).from_file);  // replaces the file of another model
  CHECK(StartAndRun(other, file.c_str()).from_file);
  CHECK_FALSE(StartAndRun(model, file.c_str()).from_file);
  CHECK(Read(file) == whole);

  for (size_t length = 0; length < whole.size(); length += 1 + length / 8) {
    Write(file, whole.substr(0, length));
    const Start start = StartAndRun(model, file.c_str());
    CHECK_FALSE(start.from_file);
    CHECK(start.logits == expected);
    REQUIRE(Read(file) == whole);
  }
  for (size_t at = 0; at < whole.size(); at += 1 + at / 16) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    Write(file, damaged);
    CHECK(StartAndRun(model, file.c_str()).logits == expected);
  }
}

TEST_CASE("AFileOfAnotherKindIsNotOverwritten") {
  const Folder folder;
  const std::string file = folder / "photo.jpg";
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Model::FromBytes(bytes.bytes()).value();
  for (const char* other : {"VITRxyz", "any other", "\xff\xd8\xff"}) {
    Write(file, other);
    CHECK(StartAndRun(model, file.c_str()).logits == StartAndRun(model, nullptr).logits);
    CHECK(Read(file) == other);
  }
}

TEST_CASE("AStartWorksWhenTheFolderCannotBeWritten") {
  const Folder folder;
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Model::FromBytes(bytes.bytes()).value();
  const std::vector<float> expected = StartAndRun(model, nullptr).logits;
  for (const std::string& file : {folder / "no/such/folder", std::string("/proc/m.packed"), folder / ""}) {
    const Start start = StartAndRun(model, file.c_str());
    CHECK_FALSE(start.from_file);
    CHECK(start.logits == expected);
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("PackedWeightsAreSavedOnDemand") {
  const Folder folder;
  const std::string file = folder / "m.packed", nowhere = folder / "no/m.packed";
  const testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Model::FromBytes(bytes.bytes()).value();
  const Session session = Session::Create(model, {}).value();
  CHECK(session.SavePackedWeights(nowhere.c_str()).code() == Code::kNotFound);
  REQUIRE(session.SavePackedWeights(file.c_str()).ok());
  const Session mapped = Session::Create(model, {.packed_weights = file.c_str()}).value();
  CHECK(mapped.packed_from_file());
  CHECK(mapped.SavePackedWeights(file.c_str()).code() == Code::kInvalidArgument);
}

/// Returns a model with every kind of Linear from `inputs` to `outputs`, with a bias and without.
testing::ModelBytes EveryLinear(size_t inputs, size_t outputs) {
  testing::Draft draft;
  ModelBuilder& b = draft.builder;
  constexpr size_t kRows = 5;
  const int f32 = b.model.input = b.AddTensor("in", schema::Type::F32, kRows, inputs);
  schema::ActivateT quantize;
  quantize.input = f32;
  const int qd8 = quantize.output = b.AddTensor("int8", schema::Type::QD8, kRows, inputs);
  b.AddOperator("quantize", quantize);
  const std::vector<float> values = testing::RandomValues(outputs * inputs, 0.3f, 1);
  const int weight = b.AddF32("w", values, outputs, inputs);
  const int int8 = b.AddInt8(QuantizeRowsSymmetric("w", values, outputs, inputs));
  const int bias = b.AddF32("b", testing::RandomValues(outputs, 1.0f, 2), 1, outputs);
  const auto add = [&](int input, int weights, size_t rows) {
    for (const int with : {bias, -1}) {
      schema::LinearT op;
      op.input = input;
      op.weight = weights;
      op.bias = with;
      op.output = b.model.embedding = b.AddTensor("out", schema::Type::F32, rows, outputs);
      b.AddOperator("linear", op);
    }
  };
  add(f32, weight, kRows);
  add(f32, int8, kRows);
  add(qd8, int8, kRows);  // our kernel if this CPU has one
  add(qd8, int8, 1);      // XNNPACK's
  return draft.Bytes();
}

TEST_CASE("PackForCpuWritesTheSameBytesAsThatCpu") {
  const Folder folder;
  const std::string own = folder / "own", other = folder / "other";
#if defined(__aarch64__) || defined(__arm__)
  constexpr int kOwnClasses = 1;
#else
  constexpr int kOwnClasses = 0;
#endif
  for (const size_t inputs : {1, 2, 3, 4, 5, 7, 8, 15, 16, 33, 83}) {
    for (const size_t outputs : {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 37}) {
      const testing::ModelBytes bytes = EveryLinear(inputs, outputs);
      const Model model = Model::FromBytes(bytes.bytes()).value();
      REQUIRE(Session::Create(model, {}).value().SavePackedWeights(own.c_str()).ok());
      int same = 0, fitting = 0;
      for (const CpuClass& cpu : CpuClasses()) {
        REQUIRE(PackForCpu(model, cpu.name, other.c_str()).ok());
        same += Read(own) == Read(other);
        fitting += Session::Create(model, {.packed_weights = other.c_str()}).value().packed_from_file();
      }
      INFO(inputs << " inputs, " << outputs << " outputs");
      CHECK(same == kOwnClasses);
      CHECK(fitting == kOwnClasses);
    }
  }
}

TEST_CASE("FindCpuClassFindsClassesAndTheirCpusByName") {
  for (const CpuClass& cpu : CpuClasses()) CHECK(FindCpuClass(cpu.name) == &cpu);
  CHECK(FindCpuClass("cortex-a53") == FindCpuClass("cortex-a73"));
  CHECK(FindCpuClass("cortex-a55") == FindCpuClass("neoverse-n1"));
  CHECK(FindCpuClass("cortex-a55") != FindCpuClass("cortex-a510"));
  for (const char* name : {"", " ", "cortex", "cortex-a5", "cortex-a53 cortex-a57", "CORTEX-A53", "pentium"})
    CHECK(FindCpuClass(name) == nullptr);
}

TEST_CASE("PackForCpuRefusesUnknownCpusBadPathsAndDamagedWeights") {
  const Folder folder;
  const std::string file = folder / "m.packed", nowhere = folder / "no/m.packed";
  testing::ModelBytes bytes = testing::TinyVit(true);
  const Model model = Model::FromBytes(bytes.bytes()).value();
  CHECK(PackForCpu(model, "pentium", file.c_str()).code() == Code::kInvalidArgument);
  CHECK(PackForCpu(model, "i8mm", nowhere.c_str()).code() == Code::kNotFound);
  for (uint8_t& byte : bytes.bytes().last(bytes.bytes().size() / 2)) byte ^= 1;
  CHECK(PackForCpu(model, "i8mm", file.c_str()).code() == Code::kInvalidModel);
  CHECK(folder.files() == 0);
}

}  // namespace
}  // namespace vitrine
