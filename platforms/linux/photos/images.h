// SPDX-License-Identifier: Apache-2.0
// The loop over IMAGE... that classify and embed share.
#pragma once

#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "platforms/linux/cli/failure.h"

namespace vitrine {

/// Runs the session on each photo and calls `show(path, latency_ms)` after it; the latency spans resize and
/// inference, not reading the file. A photo that cannot be read gives a line on stderr and the next one's
/// turn; *exit_code is 1 then.
template <typename Show>
void RunOnImages(Session& session, const std::vector<std::string>& paths, int* exit_code, const Show& show);

}  // namespace vitrine

#include <chrono>

#include "platforms/linux/cli/command_line.h"

template <typename Show>
void vitrine::RunOnImages(Session& session, const std::vector<std::string>& paths, int* exit_code,
                          const Show& show) {
  for (const std::string& path : paths) {
    const Result<Image> image = Image::Load(path.c_str());
    if (!image.ok()) {
      PrintError("vitrine", image.status().message());
      *exit_code = 1;
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    OrFail(session.SetImage(image.value().view()));
    OrFail(session.Run());
    show(path, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
}
