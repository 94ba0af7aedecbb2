// SPDX-License-Identifier: Apache-2.0
// Plan: what runs in which type, decided before lowering and read by it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

/// How the types of a model are chosen.
enum class Recipe {
  kDynamic,  ///< int8 weights with a scale a channel, activations and attention int8 row by row
  kStatic,   ///< the same with scales of activations fixed by calibration, and GELU by a table
  kMixed,    ///< for each linear layer the cheapest of static int8, dynamic int8 and f32 that a budget allows
  kInt4,     ///< dynamic with weights of 4 bits, a scale for each block of inputs
  kF32,
};

/// "dynamic", "static", "mixed", "int4", "f32". RecipeOf throws Error naming the ones there are.
const char* Name(Recipe recipe);
Recipe RecipeOf(const std::string& name);

/// How a tensor that a linear layer reads is stored.
struct TensorPlan {
  schema::Type type = schema::Type::F32;  ///< F32, QD8 or QS8
  float scale = 1;                        ///< QS8
  int8_t zero_point = 0;                  ///< QS8
};

/// Tensors are called after the operator that writes them ("block 3 norm1"), linear layers after themselves.
struct Plan {
  explicit Plan(Recipe recipe);

  /// The rows that operator `name` hands to linear layers.
  const TensorPlan& Rows(const std::string& name) const;
  /// What linear layer `name` gives: F32, unless a table takes it.
  const TensorPlan& Output(const std::string& name) const;

  Recipe recipe;
  TensorPlan rows;            ///< of every operator that is not in `tensors`
  schema::Type attention;     ///< what attention computes in
  bool int4_weights = false;  ///< where they are blocks of inputs
  std::map<std::string, TensorPlan> tensors;
  /// What the columns of a tensor are divided by, and the weights that read them multiplied with.
  std::map<std::string, std::vector<float>> smoothing;
  /// X^T X of a tensor's rows X, [columns, columns]: the weights that read them are rounded so that their
  /// outputs are nearest. Large: only those of the layers that come next are here.
  std::map<std::string, std::vector<float>> grams;
};

}  // namespace vitrine
