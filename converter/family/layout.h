// SPDX-License-Identifier: Apache-2.0
// What a checkpoint is, from its configuration first, its shapes second, its family's defaults last.
#pragma once

#include <string>
#include <vector>

#include "converter/family/configuration.h"
#include "converter/family/names.h"
#include "converter/family/table.h"

namespace vitrine {

/// Returns everything of the layout but the image size, which ChooseImageSize adds. What had to be assumed
/// goes into `remarks`. Error when configuration and shapes cannot both be right.
Layout InferLayout(const Family& family, const Names& names, const Configuration& configuration,
                   const ConversionInputs& inputs, std::vector<std::string>* remarks);

/// Sets the image size: what the person asked for, else what the preprocessor gives, else what the
/// configuration says, else what the position table was made for. Error when it is smaller than a patch or,
/// asked for, not a multiple of the patch size; a configured size that is none loses the rest at right and
/// bottom, as in the library.
void ChooseImageSize(const Configuration& configuration, const ConversionInputs& inputs, Layout* layout,
                     std::vector<std::string>* remarks);

}  // namespace vitrine
