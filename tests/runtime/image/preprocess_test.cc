// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/preprocess.h"

#include <map>
#include <sstream>

#include "tests/runtime/image/image_test.h"

// The linker uses this function instead of the C library's, so that a test can count calls (CMakeLists.txt).
extern "C" {
int __real_posix_memalign(void** memory, size_t alignment, size_t bytes);
static int allocations = 0;
int __wrap_posix_memalign(void** memory, size_t alignment, size_t bytes) {
  ++allocations;
  return __real_posix_memalign(memory, alignment, bytes);
}
}

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::vector<uint8_t> RunOn(const Preprocess& preprocess, const ImageView& image) {
  Result<Preprocessor> preprocessor = Preprocessor::Create(preprocess);
  REQUIRE(preprocessor.ok());
  std::vector<uint8_t> out(preprocessor.value().output_bytes(), 0xEE);
  const Status status = preprocessor.value().Run(image, out.data());
  INFO(status.message());
  REQUIRE(status.ok());
  return out;
}

/// A line of the fixtures' list.txt, written by make_images.py.
struct Case {
  std::string golden, source;
  Preprocess preprocess;
};

std::vector<Case> ReadCases() {
  const std::map<std::string, ResizeMode> kModes = {
      {"none", ResizeMode::kNone}, {"shortest", ResizeMode::kShortestSide}, {"squash", ResizeMode::kSquash}};
  const std::map<std::string, Interpolation> kInterpolations = {
      {"nearest", Interpolation::kNearest},   {"lanczos", Interpolation::kLanczos},
      {"bilinear", Interpolation::kBilinear}, {"bicubic", Interpolation::kBicubic},
      {"box", Interpolation::kBox},           {"hamming", Interpolation::kHamming}};
  std::ifstream list(ImageFixtures() / "preprocess" / "list.txt");
  std::vector<Case> cases;
  std::string mode, interpolation, rounding;
  Case next;
  Preprocess& to = next.preprocess;
  while (list >> next.golden >> next.source >> mode >> to.resize_height >> to.resize_width >> interpolation >>
         rounding >> to.height >> to.width >> to.channels) {
    to.resize = kModes.at(mode);
    to.interpolation = kInterpolations.at(interpolation);
    to.crop_rounding = rounding == "floor" ? CropRounding::kFloor : CropRounding::kHalfToEven;
    cases.push_back(next);
  }
  return cases;
}

TEST_CASE("Resizes and crops to the bytes that Pillow gives in the fixtures") {
  const std::vector<Case> cases = ReadCases();
  CHECK(cases.size() == 26);
  for (const Case& test : cases) {
    INFO(test.golden);
    const Image source = LoadImage(ImageFixtures() / "preprocess" / test.source);
    const Image golden = LoadImage(ImageFixtures() / "preprocess" / test.golden);
    const std::vector<uint8_t> out = RunOn(test.preprocess, source.view());
    if (test.preprocess.channels == 3) {
      CHECK(CountDifferences(out, BytesOf(golden)) == 0);
      continue;
    }
    size_t differences = 0;
    for (size_t i = 0; i < out.size(); ++i) differences += out[i] != BytesOf(golden)[3 * i];
    CHECK(differences == 0);
  }
}

TEST_CASE("Resizes and crops the shared pictures to the bytes of their goldens") {
  const fs::path folder = SharedFolder() / "preprocess" / "golden";
  if (!fs::exists(folder)) SKIP("no goldens at " << folder);
  const std::map<std::string, Preprocess> kPipelines = {
      {"bicubic_crop0.9", {.resize_height = 248}},
      {"bilinear_256_224", {.interpolation = Interpolation::kBilinear}},
      {"bicubic_256_224", {}},
      {"squash_bicubic_clip", {.resize = ResizeMode::kSquash, .resize_height = 224, .resize_width = 224}},
      {"squash_bilinear_half",
       {.resize = ResizeMode::kSquash,
        .resize_height = 224,
        .resize_width = 224,
        .interpolation = Interpolation::kBilinear}}};
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    for (const auto& [pipeline, preprocess] : kPipelines) {
      const std::string ending = "." + pipeline + ".u8.png";
      if (!name.ends_with(ending)) continue;
      INFO(name);
      const Image source = LoadImage(folder / (name.substr(0, name.size() - ending.size()) + ".decoded.png"));
      const std::vector<uint8_t> out = RunOn(preprocess, source.view());
      CHECK(CountDifferences(out, BytesOf(LoadImage(entry.path()))) == 0);
      ++compared;
    }
  }
  CHECK(compared == 75);
}

TEST_CASE("Places pictures by the rules of torchvision and of Hugging Face") {
  Preprocess preprocess;  // shortest side 256, crop 224
  Placement place = Place(preprocess, 1280, 720);
  CHECK(place.resized_width == 455);  // 455.1 is truncated
  CHECK(place.resized_height == 256);
  CHECK(place.kept == Crop{116, 16, 224, 224});  // 115.5 rounds to the even neighbour
  place = Place(preprocess, 420, 252);
  CHECK(place.kept.left == 101);  // width 426: exactly 101
  preprocess.crop_rounding = CropRounding::kFloor;
  CHECK(Place(preprocess, 1280, 720).kept.left == 115);

  preprocess.resize_height = 100;  // smaller than the crop on one side
  place = Place(preprocess, 101 * 3, 101);
  CHECK(place.kept == Crop{38, 0, 224, 100});
  CHECK(place.left == 0);
  CHECK(place.top == 62);
  preprocess.resize_height = 99;
  CHECK(Place(preprocess, 101, 101).top == 63);  // 62.5
  preprocess.crop_rounding = CropRounding::kHalfToEven;
  CHECK(Place(preprocess, 101, 101).top == 62);
}

TEST_CASE("Says which part of a picture the input is") {
  const auto is = [](const Region& part, double x, double y, double width, double height) {
    return std::abs(part.x - x) < 1e-9 && std::abs(part.y - y) < 1e-9 &&
           std::abs(part.width - width) < 1e-9 && std::abs(part.height - height) < 1e-9;
  };
  Preprocess preprocess;  // shortest side 256, crop 224
  CHECK(is(RegionSeen(preprocess, 1280, 720), 116 / 455.0, 16 / 256.0, 224 / 455.0, 224 / 256.0));
  preprocess.resize_height = 100;  // a border of 62 above and below
  CHECK(is(RegionSeen(preprocess, 303, 101), 38 / 300.0, -0.62, 224 / 300.0, 2.24));
  preprocess.resize = ResizeMode::kSquash;
  preprocess.resize_height = preprocess.resize_width = 224;
  CHECK(is(RegionSeen(preprocess, 1280, 720), 0, 0, 1, 1));
}

TEST_CASE("An input that is no square is covered as timm covers it") {
  Preprocess preprocess;
  preprocess.height = preprocess.resize_height = 100;
  preprocess.width = preprocess.resize_width = 200;
  const Placement wide = Place(preprocess, 512, 384);  // 384 / 2.56 = 150
  CHECK(wide.resized_width == 200);
  CHECK(wide.resized_height == 150);
  CHECK(wide.kept == Crop{0, 25, 200, 100});
  const Placement wider = Place(preprocess, 1001, 250);  // 1001 / 2.5 = 400.4
  CHECK(wider.resized_width == 400);
  CHECK(wider.resized_height == 100);
}

TEST_CASE("Allocates nothing while the size of the picture repeats or two sizes take turns") {
  const auto large = Noise(200 * 100 * 3, 1), small = Noise(60 * 90 * 3, 2);
  const ImageView views[] = {{large.data(), 200, 100, 600, PixelFormat::kRgb8},
                             {small.data(), 60, 90, 180, PixelFormat::kBgr8}};
  Result<Preprocessor> preprocessor = Preprocessor::Create({});
  REQUIRE(preprocessor.ok());
  std::vector<uint8_t> out(preprocessor.value().output_bytes());
  allocations = 0;
  for (const ImageView& view : views) REQUIRE(preprocessor.value().Run(view, out.data()).ok());
  CHECK(allocations > 0);
  allocations = 0;
  for (int frame = 0; frame < 6; ++frame)
    REQUIRE(preprocessor.value().Run(views[frame % 2], out.data()).ok());
  CHECK(allocations == 0);
}

TEST_CASE("Takes pictures of the most extreme shapes") {
  Result<Preprocessor> preprocessor = Preprocessor::Create({.height = 16, .width = 16, .resize_height = 20});
  REQUIRE(preprocessor.ok());
  std::vector<uint8_t> out(preprocessor.value().output_bytes());
  const auto pixels = Noise(65535 * 3, 4);
  CHECK(preprocessor.value().Run({pixels.data(), 65535, 1, 65535 * 3, PixelFormat::kRgb8}, out.data()).ok());
  CHECK(preprocessor.value().Run({pixels.data(), 1, 65535, 3, PixelFormat::kRgb8}, out.data()).ok());
  CHECK(preprocessor.value().Run({pixels.data(), 1, 1, 3, PixelFormat::kRgb8}, out.data()).ok());
}

TEST_CASE("Refuses a view or a description that is not right, and says why") {
  Result<Preprocessor> preprocessor = Preprocessor::Create({});
  REQUIRE(preprocessor.ok());
  const std::vector<uint8_t> pixels(100);
  std::vector<uint8_t> out(preprocessor.value().output_bytes());
  const auto refusal = [&](const ImageView& view) {
    const Status status = preprocessor.value().Run(view, out.data());
    CHECK(status.code() == Code::kInvalidArgument);
    return std::string(status.message());
  };
  CHECK(refusal({nullptr, 3, 3, 9}) == "image has no pixels: the pointer is null");
  CHECK(refusal({pixels.data(), 0, 3, 9}) == "image is 0 x 3, expected sides of 1 to 65535 pixels");
  CHECK(refusal({pixels.data(), 3, 70000, 9}) == "image is 3 x 70000, expected sides of 1 to 65535 pixels");
  CHECK(refusal({pixels.data(), 3, 3, 8}) == "image has a stride of 8 bytes, but its rows have 9");
  CHECK(refusal({pixels.data(), 3, 3, 9, static_cast<PixelFormat>(99)}) ==
        "image has pixel format 99, which is not known");

  CHECK_FALSE(Preprocessor::Create({.height = 0}).ok());
  CHECK_FALSE(Preprocessor::Create({.width = 20000}).ok());
  CHECK_FALSE(Preprocessor::Create({.channels = 2}).ok());
  CHECK_FALSE(Preprocessor::Create({.resize_height = 0}).ok());
  CHECK_FALSE(Preprocessor::Create({.resize = static_cast<ResizeMode>(3)}).ok());
  CHECK_FALSE(Preprocessor::Create({.interpolation = static_cast<Interpolation>(6)}).ok());
  CHECK(Preprocessor::Create({.resize = ResizeMode::kNone, .resize_height = 0, .resize_width = 0}).ok());
}

}  // namespace
}  // namespace vitrine
