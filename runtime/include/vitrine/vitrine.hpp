// SPDX-License-Identifier: Apache-2.0
// vitrine for C++: open a model, create a session, set an image, run it, read the classes.
//
//   #include <cstdio>
//   #include <string>
//   #include <vitrine/vitrine.hpp>
//
//   int Fail(const char* message) { return std::fprintf(stderr, "%s\n", message), 1; }
//
//   int main(int argc, char** argv) {
//     if (argc != 3) return Fail("usage: classify MODEL.vit PHOTO");
//     auto model = vitrine::Model::Open(argv[1]);
//     if (!model.ok()) return Fail(model.status().message());
//     auto session = vitrine::Session::Create(model.value(), {});
//     if (!session.ok()) return Fail(session.status().message());
//     const auto photo = vitrine::Image::Load(argv[2]);
//     if (!photo.ok()) return Fail(photo.status().message());
//     auto status = session.value().SetImage(photo.value().view());
//     if (status.ok()) status = session.value().Run();
//     if (!status.ok()) return Fail(status.message());
//     vitrine::Guess best[1];
//     const size_t count = vitrine::TopClasses(session.value().logits(), best);
//     if (count == 0) return Fail("the model has no classifier");
//     std::string label = model.value().label(best[0].index);  // "" where it has no names
//     if (label.empty()) label = "class " + std::to_string(best[0].index);
//     std::printf("%s %.1f%%\n", label.c_str(), 100.0 * best[0].probability);
//   }
//
// This header includes the others:
//
//   status.hpp   Status and Result: how functions report failure
//   image.hpp    pixels in memory, and photos from files
//   library.hpp  the library's version, log and allocator
//   model.hpp    Model: a verified .vit file and its description
//   session.hpp  Session: a model ready to run, its options, threads and memory
//   classes.hpp  softmax and the most probable classes
//   cpu.hpp      CPU cores to run on, and packed weights for another CPU
//
// The headers need C++20. No function throws, prints or aborts. A function that can fail returns a Status or
// a Result, and the compiler warns when the caller ignores it.
#pragma once

#include <vitrine/export.h>

#include <vitrine/classes.hpp>
#include <vitrine/cpu.hpp>
#include <vitrine/image.hpp>
#include <vitrine/library.hpp>
#include <vitrine/model.hpp>
#include <vitrine/session.hpp>
#include <vitrine/sqnr.hpp>
#include <vitrine/status.hpp>
