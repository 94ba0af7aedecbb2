// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/trigger.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "platforms/linux/camera/sources/source.h"

extern char** environ;

namespace vitrine {

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
