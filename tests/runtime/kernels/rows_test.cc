// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/row_kernels.h"

#include <limits>

#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

void CheckRows(const std::vector<float>& values, size_t rows, size_t columns, RowType type) {
  Guarded<float> x(values);
  WatchedRows actual(type, rows, columns);
  QuantizeRows(x.data(), columns, columns, actual.rows(), 0, rows);
  for (size_t row = 0; row < rows; ++row) {
    const RowQuantization q = actual.QuantizationOf(row);
    REQUIRE(q.scale > 0);
    REQUIRE(q.zero_point >= -128);
    REQUIRE(q.zero_point <= 127);
    const float low = static_cast<float>(-128 - q.zero_point) * q.scale,
                high = static_cast<float>(127 - q.zero_point) * q.scale;
    for (size_t i = 0; i < columns; ++i) {
      float value = values[row * columns + i];
      if (type == RowType::kQs8) value = std::min(std::max(value, low), high);
      // A row's ends may be up to half a step outside the range of a byte, because zero is exact.
      const float error = std::abs(actual.At(row, i) - value);
      if (!(error <= 0.5002f * q.scale)) {
        FAIL("row " << row << " column " << i << " of " << columns << ": " << value << " became "
                    << actual.At(row, i));
      }
    }
  }
}

TEST_CASE("Quantization is within half a step for any length") {
  OnEveryTarget([] {
    Generator generator(1);
    for (size_t columns = 1; columns < 140; ++columns) {
      for (const RowType type : {RowType::kQd8, RowType::kQs8}) {
        CheckRows(Normal(generator, 3 * columns, 2), 3, columns, type);
        CheckRows(Normal(generator, 3 * columns, 1, 5), 3, columns, type);
      }
    }
  });
}

TEST_CASE("Quantization is within half a step for extreme rows") {
  OnEveryTarget([] {
    Generator generator(2);
    for (const size_t columns : {1, 7, 64, 197}) {
      for (const std::vector<float>& row : AwkwardRows(generator, columns)) {
        CheckRows(row, 1, columns, RowType::kQd8);
        CheckRows(row, 1, columns, RowType::kQs8);
      }
      CheckRows(std::vector<float>(columns, 3e38f), 1, columns, RowType::kQd8);
      CheckRows(std::vector<float>(columns, -std::numeric_limits<float>::infinity()), 1, columns,
                RowType::kQs8);
    }
  });
}

TEST_CASE("Zero is exact and the ends of a row use the ends of a byte") {
  OnEveryTarget([] {
    const std::vector<float> x = {-1, 0, 0.5f, 3};
    WatchedRows rows(RowType::kQd8, 1, 4);
    QuantizeRows(x.data(), 4, 4, rows.rows(), 0, 1);
    CHECK(rows.At(0, 1) == 0);
    CHECK(rows.ByteAt(0, 0) == -128);
    CHECK(rows.ByteAt(0, 3) == 127);
  });
}

TEST_CASE("A row of zeros has a scale of one") {
  const RowQuantizer q = QuantizerOf(0, 0);
  CHECK(q.quantization.scale == 1);
  CHECK(q.inverse_scale == 1);
}

TEST_CASE("Quantization accepts NaN and infinity") {
  OnEveryTarget([] {
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    for (const float bad : {nan, inf, -inf}) {
      for (size_t columns : {1, 33, 100}) {
        std::vector<float> x(columns, bad);
        x[columns / 2] = 1;
        WatchedRows dynamic(RowType::kQd8, 1, columns), fixed(RowType::kQs8, 1, columns);
        QuantizeRows(x.data(), columns, columns, dynamic.rows(), 0, 1);
        QuantizeRows(x.data(), columns, columns, fixed.rows(), 0, 1);
        CHECK(dynamic.QuantizationOf(0).zero_point >= -128);
        CHECK(dynamic.QuantizationOf(0).zero_point <= 127);
      }
    }
  });
}

TEST_CASE("The vector quantizer agrees with the reference") {
  OnEveryTarget([] {
    Generator generator(3);
    for (int i = 0; i < 100; ++i) {
      const size_t columns = Uniform(generator, 1, 500), rows = Uniform(generator, 1, 4);
      const std::vector<float> x = Normal(generator, rows * columns, 1, i % 3 == 0 ? 2.0f : 0.0f);
      WatchedRows actual(RowType::kQd8, rows, columns), expected(RowType::kQd8, rows, columns);
      QuantizeRows(x.data(), columns, columns, actual.rows(), 0, rows);
      QuantizeRowsReference(x.data(), columns, columns, expected.rows(), 0, rows);
      for (size_t row = 0; row < rows; ++row) {
        REQUIRE(actual.QuantizationOf(row).zero_point == expected.QuantizationOf(row).zero_point);
        REQUIRE(actual.QuantizationOf(row).scale == expected.QuantizationOf(row).scale);
        for (size_t c = 0; c < columns; ++c) {
          REQUIRE(std::abs(actual.ByteAt(row, c) - expected.ByteAt(row, c)) <= 1);
        }
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
