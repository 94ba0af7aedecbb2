// SPDX-License-Identifier: Apache-2.0
// vitrine: the command on the device. Each subcommand is a file of this folder.
#include <new>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/command_line.h"
#include "platforms/linux/cli/output.h"

namespace vitrine {

extern const Command kClassify, kEmbed, kExplain, kBench, kEval, kCamera, kPack, kInspect;

namespace {

constexpr const Command* kCommands[] = {&kClassify, &kEmbed,  &kExplain, &kBench,
                                        &kEval,     &kCamera, &kPack,    &kInspect};

/// "classify, embed, ..."
std::string CommandNames() {
  std::string names;
  for (const Command* command : kCommands) names += (names.empty() ? "" : ", ") + std::string(command->name);
  return names;
}

/// CLI11 reports an unknown subcommand as one argument too many.
void CheckSubcommand(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  for (const Command* command : kCommands) {
    if (std::string_view(argv[1]) == command->name) return;
  }
  throw CLI::ValidationError("'" + std::string(argv[1]) + "'", "expected a subcommand: " + CommandNames());
}

void Declare(CLI::App* app, int* exit_code) {
  app->usage("Usage: vitrine SUBCOMMAND [OPTIONS]");
  app->formatter(std::make_shared<HelpFormatter>());
  app->set_version_flag("--version", std::string("vitrine ") + Version());
  for (const Command* command : kCommands)
    command->declare(*app->add_subcommand(command->name, command->summary), exit_code);
}

void PrintWarning(void*, LogLevel level, const char* message) {
  if (level == LogLevel::kWarning) PrintError("vitrine", message);
}

int Run(CLI::App& app, const int* exit_code, int argc, char** argv) {
  try {
    CheckSubcommand(argc, argv);
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::RequiredError("A subcommand (" + CommandNames() + ")");
    return FinishOutput("vitrine", *exit_code);
  } catch (const CLI::Success& success) {
    return FinishOutput("vitrine", app.exit(success));
  } catch (const CLI::ParseError& error) {
    PrintError("vitrine", std::string(error.what()) + " (see --help)");
    return kWrongUsage;
  } catch (const WrongValue& error) {
    PrintError("vitrine", error.what());
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    PrintError("vitrine", "not enough memory");
  } catch (const std::exception& error) {
    PrintError("vitrine", error.what());
  }
  return kFailure;
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  int exit_code = 0;
  CLI::App app(
      "Runs Vision Transformers in int8.\n\n"
      "  vitrine classify waste.vit photo.jpg\n"
      "  vitrine explain waste.vit photo.jpg -o heatmap.png\n"
      "  vitrine bench waste.vit --threads 4 --profile\n"
      "  vitrine eval waste.vit photos/\n"
      "  vitrine camera waste.vit --device /dev/video0\n\n"
      "vitrine SUBCOMMAND --help explains the options of a subcommand.",
      "vitrine");
  Declare(&app, &exit_code);
  SetLog(PrintWarning, nullptr);
  return Run(app, &exit_code, argc, argv);
}
