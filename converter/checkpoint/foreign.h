// SPDX-License-Identifier: Apache-2.0
// What a file that is no checkpoint is instead, so that the error can say it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace vitrine::checkpoint {

/// "an HTML page, not the weights: ..."; empty when the bytes look like none of the known strangers.
std::string NameForeignFile(std::span<const std::byte> bytes);

}  // namespace vitrine::checkpoint
