// SPDX-License-Identifier: Apache-2.0
// What the command lines of vitrine and vitrine-convert share: help that fits a terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace vitrine {

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

}  // namespace vitrine
