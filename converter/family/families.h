// SPDX-License-Identifier: Apache-2.0
// The tables, one function each.
#pragma once

namespace vitrine {

struct Family;

const Family& Timm();
const Family& TimmEva();
const Family& TimmBeit();
const Family& DinoHub();
const Family& Dinov3Hub();
const Family& HuggingFaceVit();
const Family& HuggingFaceDeit();
const Family& HuggingFaceIJepa();
const Family& HuggingFaceDinov2();
const Family& HuggingFaceDinov3();
const Family& HuggingFaceBeit();
const Family& HuggingFaceClip();
const Family& HuggingFaceSiglip();
const Family& Torchvision();
const Family& GoogleFlax();

}  // namespace vitrine
