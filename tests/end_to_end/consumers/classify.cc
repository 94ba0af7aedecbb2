// SPDX-License-Identifier: Apache-2.0
// Classifies a photo, in C++: the program of vitrine.hpp.
#include <cstdio>
#include <string>
#include <vitrine/vitrine.hpp>

int Fail(const char* message) { return std::fprintf(stderr, "%s\n", message), 1; }

int main(int argc, char** argv) {
  if (argc != 3) return Fail("usage: classify MODEL.vit PHOTO");
  auto model = vitrine::Model::Open(argv[1]);
  if (!model.ok()) return Fail(model.status().message());
  auto session = vitrine::Session::Create(model.value(), {});
  if (!session.ok()) return Fail(session.status().message());
  const auto photo = vitrine::Image::Load(argv[2]);
  if (!photo.ok()) return Fail(photo.status().message());
  auto status = session.value().SetImage(photo.value().view());
  if (status.ok()) status = session.value().Run();
  if (!status.ok()) return Fail(status.message());
  vitrine::Guess best[1];
  const size_t count = vitrine::TopClasses(session.value().logits(), best);
  if (count == 0) return Fail("the model has no classifier");
  std::string label = model.value().label(best[0].index);  // "" where it has no names
  if (label.empty()) label = "class " + std::to_string(best[0].index);
  std::printf("%s %.1f%%\n", label.c_str(), 100.0 * best[0].probability);
}
