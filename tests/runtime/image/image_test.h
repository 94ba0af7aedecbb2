// SPDX-License-Identifier: Apache-2.0
// Code that the image tests share: files, noise, and comparing pictures.
#pragma once

#include <vitrine/image.hpp>

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace vitrine {

inline std::filesystem::path ImageFixtures() { return VITRINE_SOURCE_DIR "/tests/fixtures/image"; }

/// Returns the folder in the environment variable VITRINE_SHARED, or shared/ next to the checkout. It may not
/// exist.
inline std::filesystem::path SharedFolder() {
  const char* shared = std::getenv("VITRINE_SHARED");
  return shared != nullptr ? shared : VITRINE_SOURCE_DIR "/../shared";
}

inline std::vector<uint8_t> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline Image LoadImage(const std::filesystem::path& path) {
  Result<Image> image = Image::Load(path.c_str());
  INFO(image.status().message());
  REQUIRE(image.ok());
  return std::move(image).value();
}

/// Returns the upper eight bits of a linear congruential sequence, like noise() in make_images.py.
inline std::vector<uint8_t> Noise(size_t count, uint32_t seed) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return bytes;
}

inline std::span<const uint8_t> BytesOf(const Image& image) {
  const ImageView view = image.view();
  return {view.pixels, static_cast<size_t>(view.stride_bytes) * static_cast<size_t>(view.height)};
}

/// Returns the CRC-32 of PNG and zlib.
inline uint32_t Crc32(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? 0xEDB88320u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

/// Returns the number of bytes that differ; all of them if the sizes differ.
inline size_t CountDifferences(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  if (a.size() != b.size()) return std::max(a.size(), b.size());
  size_t differences = 0;
  for (size_t i = 0; i < a.size(); ++i) differences += a[i] != b[i];
  return differences;
}

}  // namespace vitrine
