// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/tensor.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

template <typename T>
Tensor View(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
  std::vector<int64_t> strides = RowMajorStrides(shape);
  return {dtype, std::move(shape), std::move(strides), std::as_bytes(std::span(values))};
}

// IEEE 754 binary16 by its definition.
float HalfByDefinition(uint16_t half) {
  const int exponent = half >> 10 & 31, mantissa = half & 1023;
  const float sign = half >> 15 != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
}

TEST_CASE("Every one of the 65536 half-precision values is read exactly") {
  std::vector<uint16_t> halves(65536);
  std::iota(halves.begin(), halves.end(), uint16_t{0});
  std::vector<float> out(halves.size());
  ReadF32(View(DType::kF16, {65536}, halves), out);
  int wrong = 0;
  for (size_t i = 0; i < halves.size(); ++i) {
    const float expected = HalfByDefinition(halves[i]);
    const bool same = std::isnan(expected)
                          ? std::isnan(out[i])
                          : std::bit_cast<uint32_t>(out[i]) == std::bit_cast<uint32_t>(expected);
    wrong += !same;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Every one of the 65536 bfloat16 values is the upper half of its float") {
  std::vector<uint16_t> halves(65536);
  std::iota(halves.begin(), halves.end(), uint16_t{0});
  std::vector<float> out(halves.size());
  ReadF32(View(DType::kBF16, {256, 256}, halves), out);
  int wrong = 0;
  for (size_t i = 0; i < halves.size(); ++i) {
    wrong += std::bit_cast<uint32_t>(out[i]) != uint32_t{halves[i]} << 16;
  }
  CHECK(wrong == 0);
}

TEST_CASE("A transposed tensor is read in the order of its shape") {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  Tensor tensor = View(DType::kF32, {3, 2}, values);
  tensor.strides = {1, 3};
  std::vector<float> out(6);
  ReadF32(tensor, out);
  CHECK(out == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(!tensor.contiguous());
}

TEST_CASE("Reads tensors at odd addresses") {
  std::vector<std::byte> bytes(17);
  const std::vector<double> values = {1.5, -2.25};
  std::memcpy(bytes.data() + 1, values.data(), 16);
  std::vector<float> out(2);
  ReadF32({DType::kF64, {2}, {1}, std::span(bytes).subspan(1)}, out);
  CHECK(out == std::vector<float>{1.5f, -2.25f});
}

TEST_CASE("A scalar has one element and an empty tensor none") {
  CHECK(CountElements({}) == 1);
  CHECK(CountElements(std::vector<int64_t>{3, 0}) == 0);
  CHECK(!CountElements(std::vector<int64_t>{3, -1}));
  CHECK(!CountElements(std::vector<int64_t>{0, int64_t{1} << 40, int64_t{1} << 40}));
  CHECK(ShapeText(std::vector<int64_t>{1, 197, 768}) == "[1, 197, 768]");
}

TEST_CASE("The stride of a dimension of one element does not matter") {
  const std::vector<float> values(6);
  Tensor tensor = View(DType::kF32, {2, 1, 3}, values);
  tensor.strides[1] = 999;
  CHECK(tensor.contiguous());
}

TEST_CASE("Reading integers or a wrong size as weights is refused") {
  const std::vector<int64_t> values(4);
  std::vector<float> out(4);
  CHECK_THROWS_AS(ReadF32(View(DType::kI64, {4}, values), out), Error);
  const std::vector<float> floats(4);
  CHECK_THROWS_AS(ReadF32(View(DType::kF32, {4}, floats), std::span(out).first(3)), Error);
}

}  // namespace
}  // namespace vitrine::checkpoint
