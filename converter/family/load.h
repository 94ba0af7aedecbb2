// SPDX-License-Identifier: Apache-2.0
// The weights of a checkpoint in the canonical layout.
#pragma once

#include "converter/family/layout.h"
#include "converter/family/reader.h"
#include "converter/vit/vit.h"

namespace vitrine {

// With a reader that only checks, the shapes of everything that would be read are checked and
// the values are empty.

Embedding LoadEmbedding(Reader reader, const Layout& layout);
Block LoadBlock(Reader reader, const Layout& layout, int block);
Head LoadHead(Reader reader, const Layout& layout);

/// The layout's rotary positions, with the checkpoint's own periods where it has them.
Rotary LoadRotary(Reader reader, const Layout& layout);

}  // namespace vitrine
