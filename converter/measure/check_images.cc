// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/check_images.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <set>
#include <span>
#include <string>

#include "converter/error.h"
#include "converter/lower/model_builder.h"
#include "runtime/image/preprocess.h"

namespace vitrine {
namespace {

/// xorshift64* (Vigna 2016): small, and the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  double Uniform() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<double>((state_ * 0x2545F4914F6CDD1Du) >> 11) / static_cast<double>(uint64_t{1} << 53);
  }

 private:
  uint64_t state_;
};

constexpr int kOctaves = 6;

/// Smooth noise in [0, 1). Each finer octave has half the amplitude, which gives the 1/f spectrum of photos.
class SmoothNoise {
 public:
  explicit SmoothNoise(Random* random) {
    for (int octave = 0; octave < kOctaves; ++octave) {
      for (double& value : grids_[static_cast<size_t>(octave)]) value = random->Uniform();
    }
  }

  double At(double y, double x) const {  // y and x in [0, 1)
    double sum = 0, amplitude = 0.5;
    for (int octave = 0; octave < kOctaves; ++octave, amplitude *= 0.5)
      sum += amplitude * Octave(octave, y, x);
    return sum;
  }

 private:
  static constexpr int kSide = 65;  // of the finest grid, 2^6 cells

  double Octave(int octave, double y, double x) const {
    const int cells = 2 << octave;
    const auto& grid = grids_[static_cast<size_t>(octave)];
    const double gy = y * cells, gx = x * cells;
    const int iy = static_cast<int>(gy), ix = static_cast<int>(gx);
    const double fy = gy - iy, fx = gx - ix;
    const auto value = [&](int r, int c) { return grid[static_cast<size_t>(r * kSide + c)]; };
    const double top = value(iy, ix) * (1 - fx) + value(iy, ix + 1) * fx;
    const double bottom = value(iy + 1, ix) * (1 - fx) + value(iy + 1, ix + 1) * fx;
    return top * (1 - fy) + bottom * fy;
  }

  std::array<std::array<double, kSide * kSide>, kOctaves> grids_;
};

struct Ellipse {
  double y, x, height, width, colour[4];
  bool Covers(double py, double px) const {
    const double dy = (py - y) / height, dx = (px - x) / width;
    return dy * dy + dx * dx < 1;
  }
};

std::vector<uint8_t> Pattern(const VitConfig& config, int index) {
  Random random(static_cast<uint64_t>(index) + 1);
  std::vector<SmoothNoise> noise;
  for (int c = 0; c < config.channels; ++c) noise.emplace_back(&random);
  std::array<Ellipse, 5> shapes;
  for (Ellipse& s : shapes) {
    s = {random.Uniform(),
         random.Uniform(),
         0.05 + 0.25 * random.Uniform(),
         0.05 + 0.25 * random.Uniform(),
         {}};
    for (double& c : s.colour) c = random.Uniform();
  }
  std::vector<uint8_t> pixels;
  pixels.reserve(static_cast<size_t>(config.image_height) * static_cast<size_t>(config.image_width) *
                 static_cast<size_t>(config.channels));
  for (int y = 0; y < config.image_height; ++y) {
    for (int x = 0; x < config.image_width; ++x) {
      const double py = static_cast<double>(y) / config.image_height,
                   px = static_cast<double>(x) / config.image_width;
      const auto shape =
          std::find_if(shapes.begin(), shapes.end(), [&](const Ellipse& s) { return s.Covers(py, px); });
      for (int c = 0; c < config.channels; ++c) {
        double value = noise[static_cast<size_t>(c)].At(py, px) + 0.04 * (random.Uniform() - 0.5);
        if (shape != shapes.end()) value = 0.35 * value + 0.65 * shape->colour[c];
        pixels.push_back(static_cast<uint8_t>(std::clamp(std::floor(value * 256), 0.0, 255.0)));
      }
    }
  }
  return pixels;
}

bool LooksLikeAPhoto(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const char* known : {".jpg", ".jpeg", ".png", ".bmp", ".ppm"}) {
    if (extension == known) return true;
  }
  return false;
}

/// Returns whether every pixel equals the first.
bool IsOneColour(std::span<const uint8_t> pixels, size_t channels) {
  return std::equal(pixels.begin() + static_cast<ptrdiff_t>(channels), pixels.end(), pixels.begin());
}

}  // namespace

CheckImages SyntheticImages(const VitConfig& config, int count) {
  CheckImages images;
  images.synthetic = true;
  for (int i = 0; i < count; ++i) images.pixels.push_back(Pattern(config, i));
  return images;
}

CheckImages PhotosIn(const std::filesystem::path& folder, const VitConfig& config, const ImageConfig& image,
                     int most) {
  if (!std::filesystem::is_directory(folder)) Fail(folder.string(), ": expected a folder of photos");
  std::vector<std::filesystem::path> paths;
  namespace fs = std::filesystem;
  std::error_code none;
  std::set<fs::path> visited = {fs::canonical(folder, none)};  // links may lead in circles
  for (auto it = fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink);
       it != fs::recursive_directory_iterator(); ++it) {
    if (it->is_directory(none) && !visited.insert(fs::canonical(it->path(), none)).second)
      it.disable_recursion_pending();
    if (it->is_regular_file(none) && LooksLikeAPhoto(it->path())) paths.push_back(it->path());
  }
  if (paths.empty()) Fail(folder.string(), ": contains no .jpg, .jpeg, .png, .bmp or .ppm file");
  std::sort(paths.begin(), paths.end());

  Result<Preprocessor> preprocessor = Preprocessor::Create(PreprocessOf(config, image));
  if (!preprocessor.ok()) throw Error(preprocessor.status().message());
  CheckImages images;
  const size_t count = std::min(paths.size(), static_cast<size_t>(most));
  for (size_t i = 0; i < count; ++i) {
    const std::filesystem::path& path = paths[i * paths.size() / count];
    const Result<Image> photo = Image::Load(path.c_str());
    if (!photo.ok()) throw Error(photo.status().message());
    std::vector<uint8_t> pixels(static_cast<size_t>(config.image_height) *
                                static_cast<size_t>(config.image_width) *
                                static_cast<size_t>(config.channels));
    if (const Status status = preprocessor.value().Run(photo.value().view(), pixels.data()); !status.ok())
      Fail(path.string(), ": ", status.message());
    images.pixels.push_back(std::move(pixels));
    images.names.push_back(path.lexically_relative(folder).string());
    images.folders.push_back(path.parent_path().filename().string());
  }
  const auto is_one_colour = [&](const auto& pixels) {
    return IsOneColour(pixels, static_cast<size_t>(config.channels));
  };
  if (std::all_of(images.pixels.begin(), images.pixels.end(), is_one_colour))
    Fail(folder.string(),
         ": every photo has a single colour; expected photos like those that the model will see");
  return images;
}

}  // namespace vitrine
