// SPDX-License-Identifier: Apache-2.0
// JPEGs one after the other, as a camera sends them, from which a crop's rows are taken: no
// picture in RGB exists.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vitrine/status.hpp>

#include "runtime/image/pixels.h"

namespace vitrine {

/// A JPEG's planes, and its rows in RGB when they are asked for: the same bytes as Image::Decode() with the
/// orientation left as it is. Memory is kept: once the largest picture has come nothing is allocated. One
/// thread at a time. Move only.
class JpegRows {
 public:
  JpegRows();
  JpegRows(JpegRows&&) noexcept;
  JpegRows& operator=(JpegRows&&) noexcept;
  ~JpegRows();

  /// Decodes up to the planes, 1.5 bytes a pixel of a camera's. Fails as Image::Decode(); there is no picture
  /// then. `bytes` may be freed afterwards.
  Status Decode(std::span<const uint8_t> bytes);

  /// Of the picture that was decoded last.
  int width() const;
  int height() const;
  RowReader reader() const;  ///< valid until the next Decode()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine
