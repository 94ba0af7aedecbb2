// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/decision.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "platforms/linux/command.h"
#include "platforms/linux/top_k.h"

namespace vitrine {
namespace {

constexpr size_t kTop = 5;

/// The most probable classes, most probable first, of equal ones the first class.
size_t MostProbable(std::span<const float> probabilities, std::span<Guess> top) {
  size_t count = 0;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const Guess guess = {static_cast<int>(i), probabilities[i]};
    size_t at = count;
    while (at > 0 && top[at - 1].probability < guess.probability) --at;
    if (at == top.size()) continue;
    count = std::min(count + 1, top.size());
    std::move_backward(top.begin() + static_cast<ptrdiff_t>(at),
                       top.begin() + static_cast<ptrdiff_t>(count) - 1,
                       top.begin() + static_cast<ptrdiff_t>(count));
    top[at] = guess;
  }
  return count;
}

}  // namespace

DecisionWriter::DecisionWriter(const Model& model, size_t class_count, float threshold, bool json)
    : threshold_(threshold), json_(json) {
  for (size_t i = 0; i < class_count; ++i) {
    labels_.push_back(LabelOf(model, static_cast<int>(i)));
    json_labels_.push_back(
        nlohmann::json(labels_.back()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
}

int DecisionWriter::Write(const Decision& decision) {
  Guess top[kTop];
  const size_t count = MostProbable(decision.probabilities, top);
  const int index = top[0].probability >= threshold_ ? top[0].index : -1;
  if (json_) {
    WriteJson(decision, {top, count}, index);
  } else {
    WriteText(decision, top[0], index);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw Failure("cannot write to standard output");
  return index;
}

void DecisionWriter::WriteJson(const Decision& decision, std::span<const Guess> top, int index) {
  const double seconds = std::chrono::duration<double>(decision.frame.time - start_).count();
  std::printf("{\"time\":%.3f,\"label\":%s,\"index\":%d,\"probability\":%.6g,\"top\":[",
              std::max(seconds, 0.0), index < 0 ? "null" : json_labels_[static_cast<size_t>(index)].c_str(),
              index, static_cast<double>(top[0].probability));
  for (const Guess& guess : top) {
    std::printf("%s{\"index\":%d,\"label\":%s,\"probability\":%.6g}", &guess == top.data() ? "" : ",",
                guess.index, json_labels_[static_cast<size_t>(guess.index)].c_str(),
                static_cast<double>(guess.probability));
  }
  std::printf("],\"latency_ms\":%.3f,\"fps\":%.2f,\"dropped\":%lld,\"damaged\":%lld,\"level\":%d}\n",
              decision.latency_ms, decision.fps, static_cast<long long>(decision.dropped),
              static_cast<long long>(decision.damaged), decision.level);
}

/// A line when the class changes, and one a second.
void DecisionWriter::WriteText(const Decision& decision, const Guess& best, int index) {
  const auto now = FrameClock::now();
  if (index == shown_ && now - written_ < std::chrono::seconds(1)) return;
  shown_ = index;
  written_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::printf("%8.1f s  %-24s %5.1f %%  %7.1f ms  %5.1f fps  %lld dropped\n", seconds,
              index < 0 ? "-" : labels_[static_cast<size_t>(index)].c_str(),
              100 * static_cast<double>(best.probability), decision.latency_ms, decision.fps,
              static_cast<long long>(decision.dropped));
}

}  // namespace vitrine
