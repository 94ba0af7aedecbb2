// SPDX-License-Identifier: Apache-2.0
// What the parts of the report share. Its public functions are in converter/convert.h.
#pragma once

#include <string>

#include "converter/convert.h"

namespace vitrine {

/// A group of number types that the report names and colours alike.
struct Precision {
  const char* name;    ///< for people: "dynamic int8"
  const char* colour;  ///< a class of the pages' style sheet
};

/// Returns the group of an operator's type ("qd8_f32_qc8w").
const Precision& PrecisionOf(const std::string& type);

/// Returns "23.1 MB".
std::string Megabytes(uint64_t bytes);

/// Returns a class's label, or "class 7" where the model has none.
std::string LabelOf(const ConversionSummary& summary, int index);

/// Returns an SVG with the SQNR of each operator's output, in the order in which they run: one bar each, coloured by
/// precision, with a legend.
std::string PlotOfSqnr(const ConversionSummary& summary);

/// Returns an SVG histogram. The height of a bar is the logarithm of its count, so that few outliers are visible next
/// to many small values.
std::string PlotOfDistribution(const Distribution& distribution, const std::string& title);

/// Returns the report as one HTML document that loads nothing. Reads the weights from `summary.output`; throws Error
/// when that fails.
std::string PageOf(const ConversionSummary& summary);

}  // namespace vitrine
