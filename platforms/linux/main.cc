// SPDX-License-Identifier: Apache-2.0
// vitrine: the command on the device.
#include <new>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/command_line.h"

namespace vitrine {
namespace {

/// "classify, embed, ..."
std::string Subcommands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + command->get_name();
  return names;
}

/// To CLI11 a subcommand that it does not know is one more argument too many.
void CheckSubcommand(const CLI::App& app, int argc, char** argv) {
  const auto is_named = [&](const CLI::App* command) { return argc > 1 && command->get_name() == argv[1]; };
  if (argc < 2 || argv[1][0] == '-' || !app.get_subcommands(is_named).empty()) return;
  throw CLI::ValidationError("'" + std::string(argv[1]) + "'", "expected a subcommand: " + Subcommands(app));
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
      "vitrine SUBCOMMAND --help explains a subcommand's options.",
      "vitrine");
  app.usage("Usage: vitrine SUBCOMMAND [OPTIONS]");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", std::string("vitrine ") + Version());
  AddClassify(app, &exit_code);
  AddEmbed(app, &exit_code);
  AddExplain(app);
  AddBench(app);
  AddEval(app, &exit_code);
  AddCamera(app);
  AddPack(app);
  AddInspect(app);
  SetLog(
      [](void*, LogLevel level, const char* message) {
        if (level == LogLevel::kWarning) PrintError("vitrine", message);
      },
      nullptr);
  try {
    CheckSubcommand(app, argc, argv);
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::RequiredError("A subcommand (" + Subcommands(app) + ")");
    return FinishOutput("vitrine", exit_code);
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
