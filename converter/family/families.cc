// SPDX-License-Identifier: Apache-2.0
#include "converter/family/families.h"

#include "converter/family/table.h"

namespace vitrine {

std::span<const Family* const> Families() {
  // Where two tables explain a checkpoint equally well the first is taken.
  static const Family* const kFamilies[] = {
      &Timm(),
      &TimmEva(),
      &TimmBeit(),
      &DinoHub(),
      &Dinov3Hub(),
      &HuggingFaceVit(),
      &HuggingFaceDeit(),
      &HuggingFaceIJepa(),
      &HuggingFaceDinov2(),
      &HuggingFaceDinov3(),
      &HuggingFaceBeit(),
      &HuggingFaceClip(),
      &HuggingFaceSiglip(),
      &Torchvision(),
      &GoogleFlax(),
  };
  return kFamilies;
}

}  // namespace vitrine
