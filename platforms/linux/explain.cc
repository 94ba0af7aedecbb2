// SPDX-License-Identifier: Apache-2.0
// vitrine explain: where on a photo the model looked, as a picture.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/command_line.h"
#include "platforms/linux/cli/output.h"
#include "platforms/linux/draw/heatmap.h"
#include "platforms/linux/photos/classes.h"
#include "platforms/linux/photos/photo_set.h"

namespace vitrine {
namespace {

struct Options : CommonOptions {
  std::string image, output;
  bool last_block = false, patches = false;
  float opacity = 0.6f;
  int enlarge = 2;
};

constexpr int kTop = 5;

void PrintJson(const Model& model, const Session& session, const Options& options) {
  nlohmann::ordered_json line = {{"image", options.image},
                                 {"output", options.output},
                                 {"grid", {session.grid().height, session.grid().width}},
                                 {"map", session.attention_map()}};
  if (!session.logits().empty()) line["top"] = AsJson(model, TopK(session.logits(), kTop));
  PrintJsonLine(line);
}

void PrintText(const Model& model, const Session& session, const Options& options) {
  std::printf("%s", Printable(options.output).c_str());
  if (!session.logits().empty()) {
    const Guess best = TopK(session.logits(), 1).front();
    std::printf(": %s, %.1f%%", PrintableLabelOf(model, best.index).c_str(),
                100 * static_cast<double>(best.probability));
  }
  std::printf("\n");
}

/// Returns what the model saw, with the map over it.
Picture Heatmap(const Session& session, Picture seen, const Options& options) {
  Picture picture = Enlarge(seen, options.enlarge);
  DrawHeatmap(session.attention_map(), session.grid(), options.opacity, &picture);
  return picture;
}

Picture Components(const Model& model, const Session& session, const Options& options) {
  if (session.patch_features().empty()) {
    throw Failure(options.model + ": this model cannot show patches: convert it again with --patch-features");
  }
  const ModelInfo& info = model.info();
  const Grid grid = session.grid();
  return DrawComponents(session.patch_features(), grid, options.enlarge * info.image_height / grid.height,
                        options.enlarge * info.image_width / grid.width);
}

void Explain(const Options& options) {
  CheckOutput(options.output, {options.model, options.image});
  const Model model = OrFail(Model::Open(options.model.c_str()));
  const Image image = OrFail(Image::Load(options.image.c_str()));
  Session session = options.CreateSession(model, {.attention_map = true});
  OrFail(session.SetAttentionMap(options.last_block ? AttentionMap::kLastBlock : AttentionMap::kRollout));
  OrFail(session.SetImage(image.view()));
  const ModelInfo& info = model.info();
  // Before Run(), which reuses the memory.
  Picture seen = PictureOfInput(session.input(), info.image_height, info.image_width, info.image_channels);
  OrFail(session.Run());
  WritePng(options.patches ? Components(model, session, options) : Heatmap(session, std::move(seen), options),
           options.output);
  (options.json ? PrintJson : PrintText)(model, session, options);
}

void Declare(CLI::App& command, int*) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  options->DeclarePacked(command);
  command.add_option("IMAGE", options->image, "A photo: JPEG, PNG, BMP or PNM")->required()->type_name("");
  command
      .add_option("-o,--output", options->output,
                  "PNG file to write: the part of the photo that the model sees, with a heatmap")
      ->required()
      ->check([](const std::string& file) {
        return file.ends_with(".png") || file.ends_with(".PNG") ? "" : file + " does not end in .png";
      })
      ->type_name("FILE");
  command.add_flag("--last-block", options->last_block,
                   "Show only the attention of the last block. Default: attention rollout, which follows the "
                   "attention through "
                   "all blocks");
  command
      .add_flag("--patches", options->patches,
                "Instead color patches by what their features have in common (three principal components). "
                "Needs a model "
                "converted with --patch-features")
      ->excludes("--last-block");
  command.add_option("--opacity", options->opacity, "Opacity of the heatmap, 0 to 1")
      ->capture_default_str()
      ->check(CLI::Range(0.0f, 1.0f))
      ->type_name("X");
  command.add_option("--enlarge", options->enlarge, "Size of the picture relative to the model's input")
      ->capture_default_str()
      ->check(CLI::Range(1, 8))
      ->type_name("N");
  command.callback([options] { Explain(*options); });
}

}  // namespace

extern const Command kExplain;
const Command kExplain = {"explain", "Show where on a photo the model looked", Declare};

}  // namespace vitrine
