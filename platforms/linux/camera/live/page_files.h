// SPDX-License-Identifier: Apache-2.0
// The files of page/, which are in the program.
#pragma once

#include <span>
#include <string_view>

namespace vitrine {

struct PageFile {
  std::string_view path;  ///< as browsers ask for it: "/page.js"
  std::string_view type;
  std::string_view bytes;
};

std::span<const PageFile> PageFiles();

}  // namespace vitrine
