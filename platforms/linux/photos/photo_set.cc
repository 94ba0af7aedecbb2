// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/photos/photo_set.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>

#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::string Trim(std::string_view text) {
  constexpr const char* kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

/// Lower case, with blanks for '_' and '-'.
std::string Plain(std::string_view name) {
  std::string plain = Trim(name);
  for (char& c : plain)
    c = c == '_' || c == '-' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return plain;
}

/// Finds classes by name or number.
class Classes {
 public:
  Classes(const Model& model, int count) : count_(count) {
    for (int i = 0; i < model.label_count(); ++i) {
      const std::string label = model.label(i);
      by_name_.emplace(Plain(label), i);
      for (size_t at = 0; at < label.size();) {
        const size_t comma = std::min(label.find(',', at), label.size());
        by_name_.emplace(Plain(label.substr(at, comma - at)), i);
        at = comma + 1;
      }
    }
  }

  /// -1 where there is none.
  int Find(const std::string& name) const {
    if (const auto found = by_name_.find(Plain(name)); found != by_name_.end()) return found->second;
    int number = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_number = error == std::errc() && end == name.data() + name.size();
    return is_number && number >= 0 && number < count_ ? number : -1;
  }

  int count() const { return count_; }

 private:
  int count_;
  std::map<std::string, int> by_name_;
};

std::string FirstLabels(const Model& model) {
  std::string names;
  for (int i = 0; i < std::min(4, model.label_count()); ++i)
    names += std::string(i > 0 ? ", " : "") + model.label(i);
  return names + (model.label_count() > 4 ? ", ..." : "");
}

bool IsPhoto(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* known : {".jpg", ".jpeg", ".png", ".bmp", ".ppm"}) {
    if (extension == known) return true;
  }
  return false;
}

/// "n01440764", as ImageNet's folders are called.
bool IsWordNetId(std::string_view name) {
  return name.size() == 9 && name[0] == 'n' && std::all_of(name.begin() + 1, name.end(), [](char c) {
           return std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

/// The class of each folder, by name, number or order.
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
  // Where classes have names, other names are other classes; only WordNet's numbers name none.
  const bool nameless =
      model.label_count() == 0 ||
      std::all_of(folders.begin(), folders.end(), [](const auto& f) { return IsWordNetId(f.first); });
  if (!none || !nameless || static_cast<int>(folders.size()) != classes.count()) {
    throw Failure((root / unknown).string() + ": is named after none of the model's " +
                  std::to_string(classes.count()) + " classes" +
                  (model.label_count() > 0
                       ? " (" + FirstLabels(model) + ")"
                       : ", which have numbers only: vitrine-convert --labels names them"));
  }
  int index = 0;
  for (auto& [name, truth] : found) truth = index++;
  *remark = "the folders are named after no class and taken in their sorted order";
  return found;
}

}  // namespace

PhotoSet PhotosIn(const fs::path& folder, const Model& model, int class_count) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) throw Failure(folder.string() + ": is not a folder of photos");
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
  if (paths.empty()) throw Failure(folder.string() + ": has no .jpg, .jpeg, .png, .bmp or .ppm file");
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
  if (!file) throw Failure(list.string() + ": No such file, or it cannot be read");
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
                    "' is none of the model's classes");
    set.photos.push_back({(list.parent_path() / path).string(), truth});
    if ((set.photos.front().truth < 0) != (truth < 0))
      throw Failure(list.string() + ":" + std::to_string(number) +
                    ": some lines name a class and some do not");
  }
  if (set.photos.empty()) throw Failure(list.string() + ": lists no photo");
  return set;
}

}  // namespace vitrine
