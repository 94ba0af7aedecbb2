// SPDX-License-Identifier: Apache-2.0
// What the command lines of vitrine and vitrine-convert share: help that fits a terminal, errors of one line, and a check
// that all output was written.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace vitrine {

constexpr int kFailure = 1, kWrongUsage = 2;

/// Returns `text` in lines of at most `width` characters, broken between words.
std::string Wrap(std::string_view text, size_t width);

/// Formats options as "--threads N", with the description and the default in a second column; 96 characters in all.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_description(const CLI::App* app) const override;
  /// "Usage: vitrine classify MODEL.vit IMAGE... [OPTIONS]"; CLI11 would print the parent's line for a subcommand.
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
};

/// Prints "program: what" as one line on stderr, with control characters replaced.
void PrintError(const char* program, std::string_view what);

/// Returns `exit_code`, or kFailure with a message where stdout could not take everything (a full disk).
int FinishOutput(const char* program, int exit_code);

}  // namespace vitrine
