// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/command_line.h"

// CLI11's functions are compiled here, once: the header with its definitions takes four seconds in every file.
#include <CLI/impl/App_inl.hpp>
#include <CLI/impl/Argv_inl.hpp>
#include <CLI/impl/Config_inl.hpp>
#include <CLI/impl/Encoding_inl.hpp>
#include <CLI/impl/Formatter_inl.hpp>
#include <CLI/impl/Option_inl.hpp>
#include <CLI/impl/Split_inl.hpp>
#include <CLI/impl/StringTools_inl.hpp>
#include <CLI/impl/Validators_inl.hpp>
#include <sstream>

namespace vitrine {
namespace {

constexpr size_t kLeft = 26, kRight = 70;

}  // namespace

std::string Wrap(std::string_view text, size_t width) {
  std::string wrapped;
  while (text.size() > width) {
    const size_t space = text.rfind(' ', width);
    if (space == std::string_view::npos) break;
    wrapped += std::string(text.substr(0, space)) + "\n";
    text.remove_prefix(space + 1);
  }
  return wrapped + std::string(text);
}

HelpFormatter::HelpFormatter() { column_width(kLeft); }

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return app->get_description() + "\n\n";
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
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

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = is_positional ? option->get_name(true, false) : option->get_name(false, true);
  name = name.substr(0, name.find('{'));  // "--no-tables{false}": a flag that turns something off
  std::string text = option->get_description();
  if (!is_positional && option->get_type_size() != 0) {
    name += " " + option->get_type_name().substr(
                      0, option->get_type_name().find(':'));  // the rest lists the values
    if (option->get_required()) text += " (required)";
    if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ")";
  }
  std::stringstream out;
  CLI::detail::format_help(out, name, Wrap(text, kRight), kLeft);
  return out.str();
}

}  // namespace vitrine
