// SPDX-License-Identifier: Apache-2.0
#include "converter/family/layout.h"

#include "converter/error.h"
#include "converter/family/inference.h"
#include "converter/family/preprocessing.h"

namespace vitrine {
namespace {

constexpr int kMostPixels = 16384, kMostPatches = 1 << 16, kUsualSide = 224;

std::string Text(ImageSize size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

}  // namespace

Layout InferLayout(const Family& family, const Names& names, const Configuration& configuration,
                   const ConversionInputs& inputs, std::vector<std::string>* remarks) {
  Layout layout = Inference(family, names, configuration, inputs, remarks).Run();
  if (family.settle) family.settle(configuration, names, &layout);
  if (!layout.remark.empty()) remarks->push_back(layout.remark);
  return layout;
}

void ChooseImageSize(const Configuration& configuration, const ConversionInputs& inputs, Layout* layout,
                     std::vector<std::string>* remarks) {
  VitConfig& config = layout->config;
  const PatchGrid bias = layout->bias_grid,
                  stored = layout->stored_grid.cells() > 0 ? layout->stored_grid : bias;
  ImageSize size{stored.height * config.patch_height, stored.width * config.patch_width};
  const std::optional<ImageSize> said = configuration.model.Size({"img_size", "image_size"}),
                                 preprocessed = PreprocessedSize(configuration.preprocessor);
  if (said) size = *said;
  if (preprocessed) size = *preprocessed;
  if (stored.cells() == 0 && !said && !preprocessed && !inputs.image_size) {
    size = {kUsualSide / config.patch_height * config.patch_height,
            kUsualSide / config.patch_width * config.patch_width};
    remarks->push_back("assumed an input of " + Text(size) + "; --image-size says otherwise");
  }
  if (inputs.image_size) {
    size = *inputs.image_size;
    if (size.height < 1 || size.width < 1 || size.height % config.patch_height ||
        size.width % config.patch_width) {
      Fail("image size ", Text(size), " is not a multiple of the patch size ",
           Text({config.patch_height, config.patch_width}));
    }
  }
  const PatchGrid grid{size.height / config.patch_height, size.width / config.patch_width};
  if (size.height > kMostPixels || size.width > kMostPixels || grid.cells() > kMostPatches) {
    Fail("image size ", Text(size), " is too large: at most ", kMostPixels, " pixels a side and ",
         kMostPatches, " patches");
  }
  if (grid.height < 1 || grid.width < 1) {
    Fail("image size ", Text(size), " is smaller than a patch of ",
         Text({config.patch_height, config.patch_width}));
  }
  if (bias.cells() > 0 && !(grid == bias) && !layout->bias_resizes) {
    Fail("image size ", Text(size), ": the relative position bias is made for ",
         Text({bias.height, bias.width}), " patches, and this model's way to resample it is not supported");
  }
  config.image_height = size.height;
  config.image_width = size.width;
  if (grid == stored || stored.cells() == 0) return;
  remarks->push_back("position embeddings resampled from " + Text({stored.height, stored.width}) + " to " +
                     Text({grid.height, grid.width}) + " patches for an input of " + Text(size));
}

}  // namespace vitrine
