// SPDX-License-Identifier: Apache-2.0
// Runs a model in a test and returns the output of each operator.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/support/tiny_model.h"

namespace vitrine::testing {

/// The output of each operator as f32, in execution order.
struct Outputs {
  std::vector<std::vector<float>> of_operator;
  const std::vector<float>& last() const { return of_operator.back(); }
};

/// Runs a model whose input is F32 once. Fails the test when anything fails.
Outputs RunModel(const ModelBytes& model, std::span<const float> input, int threads = 1);

/// Returns the error of Model::FromBytes for the model; fails the test if there is none.
std::string WhyRefused(const ModelBytes& model);

/// Returns the SQNR in decibels, at most 200. Fails the test when the sizes differ.
double Sqnr(std::span<const float> expected, std::span<const float> found);

}  // namespace vitrine::testing
