// SPDX-License-Identifier: Apache-2.0
// The report as a page that needs nothing from outside.
#pragma once

#include <string>

#include "converter/convert.h"

namespace vitrine {

/// One HTML document: sizes, SQNR along the depth as a plot, types and why, the worst operators' values and
/// weights, the images that changed class, and every operator. `program` is the file.
std::string PageOf(const ConversionSummary& summary, const Program& program);

}  // namespace vitrine
