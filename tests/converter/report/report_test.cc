// SPDX-License-Identifier: Apache-2.0
#include "converter/report/report.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

namespace vitrine {
namespace {

OperatorSummary Operator(const std::string& name, const std::string& type, int64_t macs, double sqnr_db) {
  OperatorSummary op;
  op.name = name;
  op.kind = "Linear";
  op.type = type;
  op.macs = macs;
  op.sqnr_db = sqnr_db;
  return op;
}

/// Returns a summary of a model with three operators, of which the last one has the largest error.
ConversionSummary Summary() {
  ConversionSummary s;
  s.output = "a<b>.vit";
  s.recipe = "dynamic";
  s.classes = 2;
  s.macs = 1000;
  s.fidelity.images = 4;
  s.fidelity.synthetic = true;
  s.levels = {{0, 1000, 36.25, 0.75}};
  s.operators = {Operator("first", "qd8_f32_qc8w", 900, 50), Operator("second", "qs8_qc8w", 99, 40),
                 Operator("third", "f32", 1, 30)};
  return s;
}

bool Contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("The text names the error, the images and the worst layer") {
  const std::string text = TextOf(Summary());
  CHECK(Contains(text, "36.2 dB against f32, same class on 75.0%, measured on 4 synthetic test images"));
  CHECK(Contains(text, "third, 30.0 dB"));
  ConversionSummary s = Summary();
  s.fidelity.synthetic = false;
  CHECK(Contains(TextOf(s), "measured on 4 photos\n"));
}

TEST_CASE("The text names small shares of a precision without a number") {
  CHECK(Contains(TextOf(Summary()), "90% dynamic int8, 10% static int8 (a few small layers in f32)"));
  ConversionSummary s = Summary();
  s.operators.resize(1);
  s.macs = 900;
  CHECK(Contains(TextOf(s), ": 100% dynamic int8\n"));
}

TEST_CASE("Every number type has a precision") {
  for (const char* type : {"qd8_f32_qc8w", "f32_qd8", "u8_qd8", "int8"})
    CHECK(std::string(PrecisionOf(type).name) == "dynamic int8");
  for (const char* type : {"qs8_qc8w", "qs8_f32_qc8w", "f32_qs8", "qs8"})
    CHECK(std::string(PrecisionOf(type).name) == "static int8");
  CHECK(std::string(PrecisionOf("qd8_f32_qb4w").name) == "4-bit weights");
  CHECK(std::string(PrecisionOf("f32").name) == "f32");
}

TEST_CASE("The plot draws a bar for each operator with a known error") {
  ConversionSummary s = Summary();
  s.operators[1].sqnr_db = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = PlotOfSqnr(s);
  CHECK((Contains(svg, "<title>first") && Contains(svg, "<title>third")));
  CHECK_FALSE(Contains(svg, "<title>second"));
  CHECK_FALSE(Contains(svg, "nan"));
}

TEST_CASE("A report of JSON is the summary") {
  const std::string json = ReportOf(Summary(), "report.json");
  CHECK(Contains(json, "\"sqnr_db\": 36.25"));
  CHECK(Contains(json, "\"output\": \"a<b>.vit\""));
}

}  // namespace
}  // namespace vitrine
