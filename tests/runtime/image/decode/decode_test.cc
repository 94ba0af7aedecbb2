// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "tests/runtime/image/image_test.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGolden = ".golden.png";

/// Every file of the decode fixtures that has an expected result.
std::set<fs::path> DecodeFixtures() {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(ImageFixtures() / "decode")) {
    const std::string name = entry.path().string();
    if (name.ends_with(kGolden)) files.insert(name.substr(0, name.size() - kGolden.size()));
  }
  return files;
}

std::string MessageOf(std::span<const uint8_t> bytes) {
  const Result<Image> image = Image::Decode(bytes);
  CHECK_FALSE(image.ok());
  CHECK(image.status().code() == Code::kInvalidImage);
  return image.status().message();
}

std::string MessageOf(std::string_view text) {
  return MessageOf({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST_CASE("Decodes every kind of file to the pixels that Pillow decodes") {
  const std::set<fs::path> files = DecodeFixtures();
  CHECK(files.size() == 42);
  for (const fs::path& file : files) {
    INFO(file);
    const Image image = LoadImage(file), golden = LoadImage(file.string() + std::string(kGolden));
    CHECK(image.width() == golden.width());
    CHECK(image.height() == golden.height());
    CHECK(CountDifferences(BytesOf(image), BytesOf(golden)) == 0);
  }
}

TEST_CASE("Leaves a turned picture as it is stored when asked to") {
  const fs::path folder = ImageFixtures() / "decode";
  const Image upright = LoadImage(folder / "orientation_6.jpg");
  const Result<Image> stored =
      Image::Load((folder / "orientation_6.jpg").c_str(), {.apply_orientation = false});
  REQUIRE(stored.ok());
  CHECK(stored.value().width() == upright.height());
  const Image same = LoadImage(folder / "orientation_1.jpg");
  CHECK(CountDifferences(BytesOf(stored.value()), BytesOf(same)) == 0);
}

TEST_CASE("Refuses an incomplete file wherever it ends") {
  for (const char* name : {"tiny_5x17.jpg", "orientation_5.jpg", "progressive.jpg", "palette.png",
                           "turned.png", "rgb.bmp", "color.ppm"}) {
    const std::vector<uint8_t> bytes = ReadFile(ImageFixtures() / "decode" / name);
    INFO(name);
    const size_t last_padding = std::string_view(name) == "rgb.bmp" ? 1 : 0;  // not needed for decoding
    for (size_t size = 0; size + last_padding < bytes.size(); ++size) {
      const Result<Image> image = Image::Decode({bytes.data(), size});
      INFO("cut to " << size << " of " << bytes.size() << " bytes");
      REQUIRE_FALSE(image.ok());
      REQUIRE(image.status().code() == Code::kInvalidImage);
    }
  }
}

TEST_CASE("Refuses a PNG with any bit of its pixels flipped") {
  std::vector<uint8_t> bytes = ReadFile(ImageFixtures() / "decode" / "gray.png");
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 1 << (i % 8);
    INFO("byte " << i);
    CHECK_FALSE(Image::Decode(bytes).ok());
    bytes[i] ^= 1 << (i % 8);
  }
}

TEST_CASE("Says what a file is that it does not read") {
  CHECK(MessageOf("") == "is empty");
  CHECK(MessageOf("GIF89a") == "is a GIF file, expected JPEG, PNG, BMP or PNM");
  CHECK(MessageOf(std::string_view("RIFF\x10\0\0\0WEBPVP8 ", 16)).starts_with("is a WebP file"));
  CHECK(MessageOf(std::string_view("\0\0\0\x18"
                                   "ftypheic",
                                   12))
            .starts_with("is a HEIC file"));
  CHECK(MessageOf("hello") == "is not an image: expected JPEG, PNG, BMP or PNM");
  CHECK(MessageOf("P6 0 5 255\n") ==
        "image is 0 x 5 pixels, expected sides of 1 to 65535 and at most 268435456 in all");
  CHECK(MessageOf("P6 60000 60000 255\n").starts_with("image is 60000 x 60000 pixels"));
  CHECK(MessageOf("P6 4 4 255\nxx") == "PNM is incomplete: it has 2 bytes of pixels, expected 48");
  CHECK(MessageOf("P6 4 99999999999 255\nxx") == "PNM has a header that is not right");
  CHECK(MessageOf(std::string_view("\xFF\xD8\xFF\xD9", 4)) ==
        "JPEG has no picture: it ends before the first scan");
}

TEST_CASE("Refuses a JPEG that claims to be larger than any picture, before it allocates") {
  std::vector<uint8_t> bytes = ReadFile(ImageFixtures() / "decode" / "tiny_5x17.jpg");
  for (size_t i = 0; i + 8 < bytes.size(); ++i) {
    if (bytes[i] == 0xFF && bytes[i + 1] == 0xC0)
      std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(i) + 5, 4, 0xFF);
  }
  CHECK(MessageOf(bytes).ends_with("bytes cannot hold 65535 x 65535 pixels"));
}

TEST_CASE("Refuses a JPEG with hundreds of scans") {
  std::vector<uint8_t> bytes = ReadFile(ImageFixtures() / "decode" / "progressive.jpg");
  std::vector<size_t> scans;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] == 0xFF && bytes[i + 1] == 0xDA) scans.push_back(i);
  }
  REQUIRE(scans.size() > 2);
  const std::vector<uint8_t> scan(bytes.begin() + static_cast<ptrdiff_t>(scans[1]),
                                  bytes.begin() + static_cast<ptrdiff_t>(scans[2]));
  for (int i = 0; i < 100; ++i)
    bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(scans[1]), scan.begin(), scan.end());
  CHECK(MessageOf(bytes) == "JPEG is damaged: it has more than 100 scans");
}

TEST_CASE("Refuses a PNG whose data inflates far beyond its picture") {
  CHECK_FALSE(Image::Load((ImageFixtures() / "inflates.png").c_str()).ok());
}

TEST_CASE("Does not read a device, which may have no end") {
  CHECK(std::string_view(Image::Load("/dev/zero").status().message()) == "/dev/zero: is not a file");
}

TEST_CASE("Begins the message with the path of a file that cannot be loaded") {
  const Result<Image> missing = Image::Load("no/such/photo.jpg");
  CHECK(missing.status().code() == Code::kNotFound);
  CHECK(std::string_view(missing.status().message()) == "no/such/photo.jpg: No such file or directory");
  const std::string folder = ImageFixtures().string();
  CHECK(std::string_view(Image::Load(folder.c_str()).status().message()) == folder + ": Is a directory");
  const std::string text = (ImageFixtures() / "resizes.txt").string();
  CHECK(Image::Load(text.c_str()).status().message() ==
        text + ": is not an image: expected JPEG, PNG, BMP or PNM");
  CHECK(Image::Load(nullptr).status().code() == Code::kInvalidArgument);
}

TEST_CASE("Refuses to create a picture without pixels or with too many") {
  CHECK(Image::Create(3, 2).ok());
  CHECK_FALSE(Image::Create(0, 2).ok());
  CHECK_FALSE(Image::Create(3, -2).ok());
  CHECK_FALSE(Image::Create(65535, 65535).ok());
}

TEST_CASE("Decodes the shared photos and pictures to the pixels that Pillow decodes") {
  const fs::path folder = SharedFolder() / "preprocess";
  if (!fs::exists(folder)) SKIP("no pictures at " << folder);
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file() ||
        (entry.path().extension() != ".jpg" && entry.path().extension() != ".png"))
      continue;
    const std::string name = entry.path().filename();
    INFO(name);
    // Pillow clips 16-bit gray to white. We expect its result after a shift by eight bits.
    const fs::path golden = folder / "golden";
    const bool is_gray_16 = fs::exists(golden / (name + ".shift8.decoded.png"));
    const Result<Image> stored = Image::Load(entry.path().c_str(), {.apply_orientation = false});
    REQUIRE(stored.ok());
    const Image expected = LoadImage(golden / (name + (is_gray_16 ? ".shift8" : "") + ".decoded.png"));
    CHECK(CountDifferences(BytesOf(stored.value()), BytesOf(expected)) == 0);
    if (fs::exists(golden / (name + ".upright.decoded.png"))) {
      const Image upright = LoadImage(golden / (name + ".upright.decoded.png"));
      CHECK(CountDifferences(BytesOf(LoadImage(entry.path())), BytesOf(upright)) == 0);
    }
    ++compared;
  }
  CHECK(compared == 12);
}

}  // namespace
}  // namespace vitrine
