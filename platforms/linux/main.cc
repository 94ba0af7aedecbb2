// SPDX-License-Identifier: Apache-2.0
// vitrine: the command on the device.
#include <new>

#include "platforms/linux/command.h"
#include "platforms/linux/command_line.h"

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
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty())
      throw CLI::RequiredError("A subcommand (classify, embed, explain, bench, eval, camera, pack or inspect)");
    return FinishOutput("vitrine", exit_code);
  } catch (const CLI::Success& success) {
    return FinishOutput("vitrine", app.exit(success));
  } catch (const CLI::ParseError& error) {
    PrintError("vitrine", std::string(error.what()) + " (see --help)");
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    PrintError("vitrine", "not enough memory");
  } catch (const std::exception& error) {
    PrintError("vitrine", error.what());
  }
  return kFailure;
}
