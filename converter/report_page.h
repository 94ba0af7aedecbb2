// SPDX-License-Identifier: Apache-2.0
// The report as a page that needs nothing from outside.
#pragma once

#include <string>

#include "converter/convert.h"

namespace vitrine {

/// One HTML document: SQNR along the depth as a plot, sizes, and every operator with its type.
std::string PageOf(const ConversionSummary& summary);

}  // namespace vitrine
