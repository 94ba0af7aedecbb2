// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/decision.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "platforms/linux/camera/sources/source.h"
#include "platforms/linux/cli/failure.h"
#include "platforms/linux/photos/classes.h"

namespace vitrine {
namespace {

constexpr size_t kTop = 5;
constexpr size_t kLineBytes = 1024;  // of a line without its labels

}  // namespace

DecisionWriter::DecisionWriter(const Model& model, size_t class_count, float threshold, bool json)
    : threshold_(threshold), json_(json) {
  size_t longest = 0;
  for (size_t i = 0; i < class_count; ++i) {
    labels_.push_back(PrintableLabelOf(model, static_cast<int>(i)));
    json_labels_.push_back(nlohmann::json(LabelOf(model, static_cast<int>(i)))
                               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    longest = std::max(longest, json_labels_.back().size());
  }
  line_.resize(kLineBytes + (kTop + 1) * longest);
}

int DecisionWriter::Write(const Decision& decision) {
  Guess top[kTop];
  const size_t count = TopProbabilities(decision.probabilities, top);
  const int index = top[0].probability >= threshold_ ? top[0].index : -1;
  length_ = 0;
  if (json_) {
    FormatJson(decision, {top, count}, index);
  } else {
    FormatText(decision, top[0], index);
  }
  if (length_ > 0) WriteLine();
  return index;
}

void DecisionWriter::Append(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int bytes = std::vsnprintf(line_.data() + length_, line_.size() - length_, format, arguments);
  va_end(arguments);
  length_ = std::min(length_ + static_cast<size_t>(std::max(bytes, 0)), line_.size() - 1);
}

/// Writes the line with one call of write(), so that readers and files get whole lines.
void DecisionWriter::WriteLine() {
  if (is_torn_ && write(STDOUT_FILENO, "\n", 1) == 1) is_torn_ = false;
  for (size_t done = 0; !is_torn_ && done < length_;) {
    const ssize_t wrote = write(STDOUT_FILENO, line_.data() + done, length_ - done);
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
      is_full_ = is_full_ && done < length_;
    } else if (errno == ENOSPC || errno == EDQUOT) {
      is_torn_ = done > 0;
      if (!is_full_)
        Notice("standard output: %s; decisions are not printed until there is space", std::strerror(errno));
      is_full_ = true;
      return;
    } else if (errno != EINTR) {
      throw Failure("cannot write to standard output");
    }
  }
}

void DecisionWriter::FormatJson(const Decision& decision, std::span<const Guess> top, int index) {
  const double seconds = std::chrono::duration<double>(decision.frame.time - start_).count();
  Append("{\"time\":%.3f,\"label\":%s,\"index\":%d,\"probability\":%.6g,\"top\":[", std::max(seconds, 0.0),
         index < 0 ? "null" : json_labels_[static_cast<size_t>(index)].c_str(), index,
         static_cast<double>(top[0].probability));
  for (const Guess& guess : top) {
    Append("%s{\"index\":%d,\"label\":%s,\"probability\":%.6g}", &guess == top.data() ? "" : ",", guess.index,
           json_labels_[static_cast<size_t>(guess.index)].c_str(), static_cast<double>(guess.probability));
  }
  Append("],\"latency_ms\":%.3f,\"fps\":%.2f,\"dropped\":%lld,\"damaged\":%lld,\"level\":%d}\n",
         decision.latency_ms, decision.fps, static_cast<long long>(decision.dropped),
         static_cast<long long>(decision.damaged), decision.level);
}

/// Writes a line when the class changes, and one per second.
void DecisionWriter::FormatText(const Decision& decision, const Guess& best, int index) {
  const auto now = FrameClock::now();
  if (index == shown_ && now - written_ < std::chrono::seconds(1)) return;
  shown_ = index;
  written_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  Append("%8.1f s  %-24s %5.1f%%  %7.1f ms  %5.1f fps  %lld dropped\n", seconds,
         index < 0 ? "-" : labels_[static_cast<size_t>(index)].c_str(),
         100 * static_cast<double>(best.probability), decision.latency_ms, decision.fps,
         static_cast<long long>(decision.dropped));
}

void Trigger::See(int index) {
  if (child_ > 0 && waitpid(child_, nullptr, WNOHANG) != 0) child_ = 0;
  const bool is_seen = index == index_;
  is_owed_ = is_seen && (is_owed_ || !was_seen_);
  was_seen_ = is_seen;
  if (is_owed_ && child_ == 0) Start();
}

void Trigger::Start() {
  is_owed_ = false;
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t reset;
  sigemptyset(&reset);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&reset, number);
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &reset);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  char shell[] = "/bin/sh", flag[] = "-c";
  char* const words[] = {shell, flag, command_.data(), nullptr};
  const int error = posix_spawn(&child_, shell, &files, &attributes, words, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return;
  child_ = 0;
  Notice("cannot start %s: %s", command_.c_str(), std::strerror(error));
}

}  // namespace vitrine
