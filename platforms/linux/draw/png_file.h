// SPDX-License-Identifier: Apache-2.0
// Writing pictures.
#pragma once

#include <string>

#include "platforms/linux/draw/heatmap.h"

namespace vitrine {

/// Writes a PNG: all of it or nothing. Throws Failure when it cannot be written.
void WritePng(const Picture& picture, const std::string& path);

}  // namespace vitrine
