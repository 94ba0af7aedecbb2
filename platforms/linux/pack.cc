// SPDX-License-Identifier: Apache-2.0
// vitrine pack: writes the packed weights ahead of time, for this CPU or for another one.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/output.h"

namespace vitrine {
namespace {

struct Options {
  std::string model, output, cpu;
  bool json = false;
};

/// "neon (cortex-a7 ...), dotprod (...), i8mm (...)"
std::string KnownClasses() {
  std::string all;
  for (const CpuClass& cpu : CpuClasses()) {
    if (!all.empty()) all += ", ";
    all.append(cpu.name).append(" (").append(cpu.cores).append(")");
  }
  return all;
}

void Pack(const Options& options) {
  const Model model = OrFail(Model::Open(options.model.c_str()));
  const std::string file = options.output.empty() ? PackedBeside(options.model) : options.output;
  CheckOutput(file, {options.model});
  if (options.cpu.empty()) {
    Result<Session> session = Session::Create(model, {});
    if (!session.ok()) throw Failure(options.model + ": " + session.status().message());
    OrFail(session.value().SavePackedWeights(file.c_str()));
  } else {
    OrFail(PackForCpu(model, options.cpu, file.c_str()));
  }
  const uintmax_t bytes = std::filesystem::file_size(file);
  const std::string kernels = options.cpu.empty() ? InstructionSet() : options.cpu;
  if (options.json) {
    const nlohmann::ordered_json json = {{"output", file}, {"file_bytes", bytes}, {"kernels", kernels}};
    PrintJsonLine(json);
  } else {
    std::printf("%s\n  %.1f MB, for %s (%s)\n", file.c_str(), static_cast<double>(bytes) / 1e6,
                options.cpu.empty() ? "this CPU" : "another CPU", kernels.c_str());
  }
}

void Declare(CLI::App& command, int*) {
  auto options = std::make_shared<Options>();
  command.add_option("MODEL.vit", options->model, "Model file written by vitrine-convert")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", options->output, "File to write (default: MODEL.vit.packed)")
      ->type_name("FILE");
  command.add_option("--cpu", options->cpu, "CPU core or class of cores to prepare for: " + KnownClasses())
      ->default_str("this one")
      ->type_name("NAME")
      ->check([](const std::string& cpu) {
        return FindCpuClass(cpu) != nullptr ? "" : "'" + cpu + "' is unknown; known are " + KnownClasses();
      });
  command.add_flag("--json", options->json, "Print JSON");
  command.callback([options] { Pack(*options); });
}

}  // namespace

extern const Command kPack;
const Command kPack = {
    "pack", "Prepare a model's weights for a given CPU, so that even the first start is fast", Declare};

}  // namespace vitrine
