// SPDX-License-Identifier: Apache-2.0
// Decodes the JPEGs of a camera one after the other and returns the rows of a crop, without a whole picture in RGB.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vitrine/status.hpp>

#include "runtime/image/pixels.h"

namespace vitrine {

/// The planes of a JPEG, and its rows in RGB on request: the same bytes as from Image::Decode() without orientation. Keeps
/// its memory: once the largest picture has been decoded, nothing is allocated. Use from one thread at a time. Move only.
class JpegRows {
 public:
  JpegRows();
  JpegRows(JpegRows&&) noexcept;
  JpegRows& operator=(JpegRows&&) noexcept;
  ~JpegRows();

  /// Decodes to planes: 1.5 bytes per pixel for most cameras. Fails like Image::Decode(); then there is no picture. `bytes`
  /// may be freed afterwards.
  Status Decode(std::span<const uint8_t> bytes);

  /// Size of the last decoded picture, in pixels.
  int width() const;
  int height() const;
  RowReader reader() const;  ///< valid until the next Decode()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine
