// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/photos/photo_set.h"

#include <algorithm>
#include <cerrno>
#include <cctype>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "platforms/linux/cli/command_line.h"
#include "platforms/linux/cli/failure.h"
#include "platforms/linux/cli/output.h"
#include "platforms/linux/photos/classes.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::string Trim(std::string_view text) {
  constexpr const char* kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

bool IsPhoto(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* known : {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm"}) {
    if (extension == known) return true;
  }
  return false;
}

std::string FirstLabels(const Model& model) {
  std::string names;
  for (int i = 0; i < std::min(4, model.label_count()); ++i)
    names += std::string(i > 0 ? ", " : "") + model.label(i);
  return names + (model.label_count() > 4 ? ", ..." : "");
}

/// Returns whether `name` is a WordNet number such as "n01440764", as ImageNet's folders have.
bool IsWordNetId(std::string_view name) {
  return name.size() == 9 && name[0] == 'n' && std::all_of(name.begin() + 1, name.end(), [](char c) {
           return std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

/// Returns the class of each folder, by name, number or order.
std::map<std::string, int> ClassesOfFolders(const std::map<std::string, int>& folders, const fs::path& root,
                                            const Model& model, int class_count, std::string* remark) {
  const Classes classes(model, class_count);
  std::map<std::string, int> found;
  std::string unknown;
  for (const auto& [name, count] : folders) {
    found[name] = classes.Find(name);
    if (found[name] < 0) unknown = name;
  }
  if (unknown.empty()) return found;
  const bool none =
      std::all_of(found.begin(), found.end(), [](const auto& entry) { return entry.second < 0; });
  // Folders with other names than the labels are other classes, unless they are WordNet numbers.
  const bool nameless =
      model.label_count() == 0 ||
      std::all_of(folders.begin(), folders.end(), [](const auto& f) { return IsWordNetId(f.first); });
  if (!none || !nameless || static_cast<int>(folders.size()) != classes.count()) {
    throw Failure((root / unknown).string() + ": the folder's name is none of the model's " +
                  std::to_string(classes.count()) + " classes" +
                  (model.label_count() > 0
                       ? " (" + FirstLabels(model) + ")"
                       : "; the classes have no names: add them with vitrine-convert --labels"));
  }
  int index = 0;
  for (auto& [name, truth] : found) truth = index++;
  *remark = "the folders' names are no class names; folder N in sorted order is class N";
  return found;
}

}  // namespace

const char* const kPhotoEndings = ".jpg, .jpeg, .png, .bmp, .ppm or .pgm";

std::vector<std::string> PhotosDirectlyIn(const fs::path& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file(error) && IsPhoto(entry.path())) paths.push_back(entry.path());
  }
  if (error) throw Failure(folder.string() + ": " + error.message());
  if (paths.empty()) throw Failure(folder.string() + ": has no photo (" + kPhotoEndings + ")");
  std::sort(paths.begin(), paths.end());
  return paths;
}

PhotoSet PhotosIn(const fs::path& folder, const Model& model, int class_count) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) throw Failure(folder.string() + ": not a folder");
  PhotoSet set;
  std::map<std::string, int> folders;
  std::vector<fs::path> paths;
  std::set<fs::path> visited = {fs::canonical(folder, failure)};  // links may lead in circles
  for (auto it = fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink);
       it != fs::recursive_directory_iterator(); ++it) {
    const fs::directory_entry& entry = *it;
    if (entry.is_directory(failure) && !visited.insert(fs::canonical(entry.path(), failure)).second)
      it.disable_recursion_pending();
    if (!entry.is_regular_file(failure) || !IsPhoto(entry.path())) continue;
    paths.push_back(entry.path().lexically_relative(folder));
    if (paths.back().has_parent_path()) ++folders[paths.back().begin()->string()];
  }
  if (paths.empty()) throw Failure(folder.string() + ": has no photo (" + kPhotoEndings + ")");
  std::sort(paths.begin(), paths.end());
  const bool labelled =
      std::all_of(paths.begin(), paths.end(), [](const fs::path& path) { return path.has_parent_path(); });
  const auto classes = labelled ? ClassesOfFolders(folders, folder, model, class_count, &set.remark)
                                : std::map<std::string, int>();
  for (const fs::path& path : paths)
    set.photos.push_back({(folder / path).string(), labelled ? classes.at(path.begin()->string()) : -1});
  return set;
}

PhotoSet PhotosOfList(const fs::path& list, const Model& model, int class_count) {
  std::ifstream file(list);
  if (!file) throw Failure(list.string() + ": " + std::strerror(errno));
  const Classes classes(model, class_count);
  PhotoSet set;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line = Trim(line);
    if (line.empty() || line.front() == '#') continue;
    size_t separator = line.find('\t');
    for (const char mark : {',', ' '}) {
      if (separator == std::string::npos && !IsPhoto(line)) separator = line.rfind(mark);
    }
    const std::string path = Trim(line.substr(0, separator));
    const std::string label = separator == std::string::npos ? "" : Trim(line.substr(separator + 1));
    const int truth = label.empty() ? -1 : classes.Find(label);
    if (!label.empty() && truth < 0)
      throw Failure(list.string() + ":" + std::to_string(number) + ": '" + label +
                    "' is not a class of the model");
    set.photos.push_back({(list.parent_path() / path).string(), truth});
    if ((set.photos.front().truth < 0) != (truth < 0))
      throw Failure(list.string() + ":" + std::to_string(number) +
                    ": some lines have a class and some have none");
  }
  if (set.photos.empty()) throw Failure(list.string() + ": the list has no photo");
  return set;
}

void RunOnPhotos(Session& session, const std::vector<std::string>& paths, int* exit_code,
                 const std::function<void(const std::string&, double)>& show) {
  using Clock = std::chrono::steady_clock;
  for (const std::string& path : paths) {
    const Result<Image> image = Image::Load(path.c_str());
    if (!image.ok()) {
      PrintError("vitrine", image.status().message());
      *exit_code = 1;
      continue;
    }
    const auto start = Clock::now();
    OrFail(session.SetImage(image.value().view()));
    OrFail(session.Run());
    show(path, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
}

}  // namespace vitrine
