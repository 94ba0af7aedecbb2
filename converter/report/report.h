// SPDX-License-Identifier: Apache-2.0
// What a conversion says when it is done: text for a terminal, JSON, and a page.
#pragma once

#include <filesystem>
#include <string>

#include "converter/convert.h"

namespace vitrine {

/// A short table and a chart of SQNR along the depth, ending in a newline.
std::string TextOf(const ConversionSummary& summary);

/// One JSON object on one line, ending in a newline.
std::string JsonOf(const ConversionSummary& summary);

/// Throws Error unless the name ends in .json or .html.
void CheckReportName(const std::filesystem::path& file);

/// Throws Error unless the file's folder is there, so that a conversion does not run for nothing.
void CheckReportFolder(const std::filesystem::path& file);

/// Writes the .json or .html report, whole or not at all. Throws Error when the disk refuses.
void WriteReport(const ConversionSummary& summary, const std::filesystem::path& file);

}  // namespace vitrine
