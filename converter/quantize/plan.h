// SPDX-License-Identifier: Apache-2.0
// Plan: the type of each tensor and weight. It is decided before lowering, which reads it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "converter/quantize/layer.h"
#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

/// How the types of a model are chosen.
enum class Recipe {
  kDynamic,  ///< int8 weights with a scale per channel; int8 activations and attention with a scale per row
  kStatic,   ///< the same, but calibration fixes the scales of activations, and GELU is a table
  kMixed,    ///< for each linear layer the cheapest of static int8, dynamic int8 and f32 that a budget allows
  kInt4,     ///< dynamic with 4-bit weights, a scale for each block of inputs
  kF32,
};

/// Returns "dynamic", "static", "mixed", "int4" or "f32". RecipeOf is the inverse; it throws an Error that lists the
/// valid names.
const char* Name(Recipe recipe);
Recipe RecipeOf(const std::string& name);

/// How a tensor that a linear layer reads is stored.
struct TensorPlan {
  schema::Type type = schema::Type::F32;  ///< F32, QD8 or QS8
  float scale = 1;                        ///< QS8
  int8_t zero_point = 0;                  ///< QS8
};

/// The types of a model. A tensor goes by the layer that writes it.
struct Plan {
  explicit Plan(Recipe recipe);

  /// Returns how the output of `layer` is stored where linear layers read it.
  const TensorPlan& Rows(const Layer& layer) const;
  /// Returns how the output of the linear layer `layer` is stored: F32, unless a table reads it.
  const TensorPlan& Output(const Layer& layer) const;

  Recipe recipe;
  TensorPlan rows;            ///< for every tensor that is not in `tensors`
  schema::Type attention;     ///< the type that attention computes in
  bool int4_weights = false;  ///< 4-bit weights where the columns are whole blocks
  std::map<Layer, TensorPlan> tensors;
  /// The factors by which the columns of a tensor are divided; the weights that read them are multiplied by the
  /// same factors.
  std::map<Layer, std::vector<float>> smoothing;
  /// X^T X [columns, columns] of a tensor's rows X. Weights that read the tensor are rounded for the smallest error
  /// of their outputs. Large, so only the tensors of the next layers are here.
  std::map<Layer, std::vector<float>> grams;
};

}  // namespace vitrine
