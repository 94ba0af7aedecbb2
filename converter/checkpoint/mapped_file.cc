// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/mapped_file.h"

#include <utility>

#include "converter/error.h"

namespace vitrine::checkpoint {

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  Result<vitrine::MappedFile> file = vitrine::MappedFile::Open(path_.c_str());
  if (!file.ok()) Fail(file.status().message());
  file_ = std::move(file.value());
}

void MappedFile::Release(std::span<const std::byte> part) const {
  file_.Release({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
}

}  // namespace vitrine::checkpoint
