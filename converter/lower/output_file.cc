// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/output_file.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "converter/error.h"

namespace vitrine {
namespace {

// The part file's name for the signal handler, which may call nothing but unlink and _exit.
char part_to_remove[4096];

void RemovePartAndExit(int signal) {
  if (part_to_remove[0] != '\0') unlink(part_to_remove);
  _exit(128 + signal);
}

int OpenNameless(const std::filesystem::path& folder) {
  const int nameless = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (nameless >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return nameless;
  std::string name = (folder / ".vitrine-weights-XXXXXX").string();  // a file system without nameless files
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) unlink(name.c_str());
  return file;
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path target) : target_(std::move(target)) {
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  if (std::filesystem::is_directory(target_))
    Fail(target_.string(), ": is a folder, expected the name of a file to write");
  part_ = folder / target_.filename();
  part_ += ".";
  part_ += std::to_string(getpid());
  part_ += ".part";
  std::snprintf(part_to_remove, sizeof part_to_remove, "%s", part_.c_str());
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, RemovePartAndExit);
  weights_ = OpenNameless(folder);
  if (weights_ < 0) FailToWrite();
  file_ = open(part_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) FailToWrite();
}

OutputFile::~OutputFile() {
  if (weights_ >= 0) close(weights_);
  if (file_ >= 0) close(file_);
  if (part_to_remove[0] != '\0') unlink(part_.c_str());
  part_to_remove[0] = '\0';
}

void OutputFile::FailToWrite() const { Fail(target_.string(), ": cannot write: ", std::strerror(errno)); }

void OutputFile::Write(int file, std::span<const uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) FailToWrite();
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void OutputFile::Append(std::span<const uint8_t> bytes) { Write(weights_, bytes); }

void OutputFile::Assemble(std::span<const uint8_t> metadata) {
  const off_t weight_bytes = lseek(weights_, 0, SEEK_END);
  if (weight_bytes < 0 || lseek(file_, 0, SEEK_SET) < 0 || ftruncate(file_, 0) != 0) FailToWrite();
  Write(file_, metadata);
  for (off_t offset = 0; offset < weight_bytes;) {
    if (sendfile(file_, weights_, &offset, static_cast<size_t>(weight_bytes - offset)) < 0 && errno != EINTR)
      FailToWrite();
  }
}

void OutputFile::ReplaceMetadata(std::span<const uint8_t> metadata) {
  if (lseek(file_, 0, SEEK_SET) < 0) FailToWrite();
  Write(file_, metadata);
}

void OutputFile::Commit() {
  if (fsync(file_) != 0 || rename(part_.c_str(), target_.c_str()) != 0) FailToWrite();
  part_to_remove[0] = '\0';
}

}  // namespace vitrine
