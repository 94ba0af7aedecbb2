// SPDX-License-Identifier: Apache-2.0
// Classifies a photo, in C++: the program of the README.
#include <cstdio>
#include <vitrine/vitrine.hpp>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto model = vitrine::Model::Open(argv[1]);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", model.status().message()), 1;
  auto session = vitrine::Session::Create(model.value(), {});
  if (!session.ok()) return std::fprintf(stderr, "%s\n", session.status().message()), 1;
  const auto photo = vitrine::Image::Load(argv[2]);
  if (!photo.ok()) return std::fprintf(stderr, "%s\n", photo.status().message()), 1;
  if (!session.value().SetImage(photo.value().view()).ok() || !session.value().Run().ok()) return 1;
  vitrine::Guess best[1];
  vitrine::TopClasses(session.value().logits(), best);
  std::printf("%s %.1f %%\n", model.value().label(best[0].index), 100 * static_cast<double>(best[0].probability));
}
