// SPDX-License-Identifier: Apache-2.0
// vitrine: the command on the device.
#include <iostream>
#include <new>

#include "platforms/linux/command.h"

int main(int argc, char** argv) {
  using namespace vitrine;
  constexpr int kFailure = 1, kWrongUsage = 2;
  int exit_code = 0;
  CLI::App app("Runs Vision Transformers in int8.\n\n"
               "  vitrine classify waste.vit photo.jpg\n"
               "  vitrine bench waste.vit --threads 4 --profile\n", "vitrine");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("vitrine ") + Version());
  AddClassify(app, &exit_code);
  AddEmbed(app, &exit_code);
  AddBench(app);
  AddInspect(app);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::cerr << "vitrine: " << error.what() << " (see --help)\n";
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    std::cerr << "vitrine: not enough memory\n";
  } catch (const std::exception& error) {
    std::cerr << "vitrine: " << error.what() << "\n";
  }
  return kFailure;
}
