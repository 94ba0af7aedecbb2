// SPDX-License-Identifier: Apache-2.0
// What the command lines of vitrine and vitrine-convert share: help that fits a terminal, errors of one line,
// and an output that is known to have arrived.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "platforms/linux/cli/printable.h"

namespace vitrine {

constexpr int kFailure = 1, kWrongUsage = 2;

/// `text` in lines of at most `width` characters, broken between words.
std::string Wrap(std::string_view text, size_t width);

/// Options as "--threads N" with the default after the description, in two columns of together 96 characters.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kLeft); }

  std::string make_description(const CLI::App* app) const override { return app->get_description() + "\n\n"; }

  /// Of a subcommand, which CLI11 would give its parent's: "Usage: vitrine classify MODEL.vit IMAGE...
  /// [OPTIONS]".
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (app->get_parent() == nullptr) return CLI::Formatter::make_usage(app, name);
    std::string usage = "Usage: " + app->get_parent()->get_name() + " " + app->get_name();
    for (const CLI::Option* option :
         app->get_options([](const CLI::Option* o) { return o->get_positional(); })) {
      const std::string positional =
          option->get_name(true, false) + (option->get_expected_max() > 1 ? "..." : "");
      usage += option->get_required() ? " " + positional : " [" + positional + "]";
    }
    return usage + " [OPTIONS]\n";
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string name = is_positional ? option->get_name(true, false) : option->get_name(false, true);
    name = name.substr(0, name.find('{'));  // "--no-tables{false}": a flag that takes something away
    std::string text = option->get_description();
    if (!is_positional && option->get_type_size() != 0) {
      name += " " + option->get_type_name().substr(
                        0, option->get_type_name().find(':'));  // what follows says which values
      if (option->get_required()) text += " (required)";
      if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ")";
    }
    std::stringstream out;
    CLI::detail::format_help(out, name, Wrap(text, kRight), kLeft);
    return out.str();
  }

 private:
  static constexpr size_t kLeft = 26, kRight = 70;
};

/// Prints "program: what" as one line on stderr, whatever a file's name holds.
inline void PrintError(const char* program, std::string_view what) {
  std::fprintf(stderr, "%s: %s\n", program, Printable(what).c_str());
}

/// `exit_code`, or failure where stdout could not take everything (a full disk).
inline int FinishOutput(const char* program, int exit_code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return exit_code;
  PrintError(program, "cannot write to standard output");
  return kFailure;
}

}  // namespace vitrine

inline std::string vitrine::Wrap(std::string_view text, size_t width) {
  std::string wrapped;
  while (text.size() > width) {
    const size_t space = text.rfind(' ', width);
    if (space == std::string_view::npos) break;
    wrapped += std::string(text.substr(0, space)) + "\n";
    text.remove_prefix(space + 1);
  }
  return wrapped + std::string(text);
}
