// SPDX-License-Identifier: Apache-2.0
// Code that the kernels' tests share: running on every instruction set, buffers that detect overruns, and
// difficult rows.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "hwy/targets.h"
#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// Calls `check` once for every instruction set that this machine supports and the kernels are compiled for.
/// Each source file has its own copy, because HWY_TARGETS depends on the file's macros.
[[maybe_unused]] static void OnEveryTarget(const std::function<void()>& check) {
  hwy::SetSupportedTargetsForTest(0);
  for (int64_t targets = hwy::SupportedTargets() & HWY_TARGETS; targets != 0; targets &= targets - 1) {
    const int64_t target = targets & -targets;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    INFO("target " << hwy::TargetName(target));
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// `size` elements directly before an inaccessible page. A canary before them detects underruns.
template <typename T>
class Guarded {
 public:
  explicit Guarded(size_t size) : size_(size) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = (size * sizeof(T) + kCanary + page - 1) / page * page;
    map_bytes_ = bytes + page;
    map_ = static_cast<uint8_t*>(
        mmap(nullptr, map_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(mprotect(map_ + bytes, page, PROT_NONE) == 0);
    data_ = reinterpret_cast<T*>(map_ + bytes) - size;
    std::memset(reinterpret_cast<uint8_t*>(data_) - kCanary, 0xA5, kCanary);
  }
  Guarded(const std::vector<T>& values) : Guarded(values.size()) {
    std::copy(values.begin(), values.end(), data_);
  }
  Guarded(const Guarded&) = delete;
  ~Guarded() {
    const uint8_t* canary = reinterpret_cast<uint8_t*>(data_) - kCanary;
    bool whole = true;
    for (size_t i = 0; i < kCanary; ++i) whole = whole && canary[i] == 0xA5;
    CHECK(whole);
    munmap(map_, map_bytes_);
  }
  T* data() { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kCanary = 256;
  uint8_t* map_;
  size_t map_bytes_;
  T* data_;
  size_t size_;
};

using Generator = std::mt19937;

inline std::vector<float> Normal(Generator& generator, size_t n, float deviation, float mean = 0) {
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> x(n);
  for (float& v : x) v = normal(generator);
  return x;
}

inline size_t Uniform(Generator& generator, size_t low, size_t high) {
  return std::uniform_int_distribution<size_t>(low, high)(generator);
}

/// The output rows of a kernel in one of its types. There are gaps between the rows, which are checked for
/// writes.
class WatchedRows {
 public:
  WatchedRows(RowType type, size_t rows, size_t columns, RowQuantization fixed = {3, 0.03f})
      : rows_(rows),
        columns_(columns),
        stride_(columns + 5),
        type_(type),
        floats_(type == RowType::kF32 ? (rows - 1) * stride_ + columns : 1),
        bytes_(type == RowType::kF32 ? 1 : (rows - 1) * stride_ + columns),
        quantization_(rows) {
    std::fill_n(quantization_.data(), rows, fixed);
    std::fill_n(floats_.data(), floats_.size(), kUntouched);
    std::fill_n(bytes_.data(), bytes_.size(), static_cast<int8_t>(kUntouched));
  }
  ~WatchedRows() {
    bool untouched = true;
    for (size_t row = 0; row + 1 < rows_; ++row) {
      for (size_t i = columns_; i < stride_; ++i) {
        untouched = untouched && Raw(row * stride_ + i) == kUntouched;
      }
    }
    CHECK(untouched);
  }
  OutputRows rows() {
    void* data = type_ == RowType::kF32 ? static_cast<void*>(floats_.data()) : bytes_.data();
    return {type_, data, stride_, quantization_.data()};
  }
  /// Returns the value at (row, column), dequantized.
  float At(size_t row, size_t column) {
    const float raw = Raw(row * stride_ + column);
    if (type_ == RowType::kF32) return raw;
    const RowQuantization q = QuantizationOf(row);
    return (raw - static_cast<float>(q.zero_point)) * q.scale;
  }
  int ByteAt(size_t row, size_t column) { return bytes_[row * stride_ + column]; }
  RowQuantization QuantizationOf(size_t row) { return quantization_[type_ == RowType::kQd8 ? row : 0]; }
  /// Returns the size of a quantization step in this row, 0 for f32.
  float Step(size_t row) { return type_ == RowType::kF32 ? 0 : QuantizationOf(row).scale; }

 private:
  static constexpr float kUntouched = 99;
  float Raw(size_t i) { return type_ == RowType::kF32 ? floats_[i] : static_cast<float>(bytes_[i]); }

  size_t rows_, columns_, stride_;
  RowType type_;
  Guarded<float> floats_;
  Guarded<int8_t> bytes_;
  Guarded<RowQuantization> quantization_;
};

/// Returns the part of |actual - expected| that rounding does not explain: half a step for each of the two.
inline double ErrorBeyondRounding(WatchedRows& actual, WatchedRows& expected, size_t rows, size_t columns) {
  double worst = 0;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < columns; ++i) {
      const double error = std::abs(static_cast<double>(actual.At(row, i)) - expected.At(row, i));
      worst = std::max(worst, error - actual.Step(row) * 1.0001);
    }
  }
  return worst;
}

/// Rows that break naive kernels.
inline std::vector<std::vector<float>> AwkwardRows(Generator& generator, size_t n) {
  std::vector<std::vector<float>> rows = {
      std::vector<float>(n, 0.0f),     std::vector<float>(n, 1.0f),  std::vector<float>(n, -3.5f),
      std::vector<float>(n, 1e-42f),   Normal(generator, n, 1e-39f), Normal(generator, n, 1e-20f),
      Normal(generator, n, 1, 100),    Normal(generator, n, 1, -7),  Normal(generator, n, 1e15f),
      Normal(generator, n, 0.001f, 5),
  };
  rows.push_back(Normal(generator, n, 1));
  rows.back()[n / 2] *= 100;
  rows.push_back(Normal(generator, n, 1));
  rows.back()[0] = 300;
  return rows;
}

}  // namespace vitrine::kernels
