// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/output_file.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "converter/error.h"

namespace vitrine {
namespace {

/// Returns the path of an open file without a name. Linking it needs /proc too.
std::string PathOf(const FileDescriptor& file) { return "/proc/self/fd/" + std::to_string(file.number()); }

/// Returns a file without a name in `folder`; not open where the file system or the machine has none, or where nothing
/// can be written, with the reason in errno.
FileDescriptor OpenNameless(const std::filesystem::path& folder) {
  FileDescriptor file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));
  if (file.ok() && access(PathOf(file).c_str(), F_OK) != 0) return FileDescriptor();
  return file;
}

/// The same for a file that is never linked: creates one with a name and removes the name.
FileDescriptor OpenScratch(const std::filesystem::path& folder) {
  FileDescriptor nameless = OpenNameless(folder);
  if (nameless.ok()) return nameless;
  std::string name = (folder / ".vitrine-weights-XXXXXX").string();
  FileDescriptor file(mkostemp(name.data(), O_CLOEXEC));
  if (file.ok()) unlink(name.c_str());
  return file;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (ok()) close(number_);
}

OutputFile::OutputFile(std::filesystem::path target) : target_(std::move(target)) {
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  if (std::filesystem::is_directory(target_))
    Fail(target_.string(), ": is a folder, expected the name of a file to write");
  part_ = folder / target_.filename();
  part_ += "." + std::to_string(getpid()) + ".part";
  weights_ = OpenScratch(folder);
  if (!weights_.ok()) FailToWrite();
  file_ = OpenNameless(folder);
  if (file_.ok()) return;
  file_ = FileDescriptor(open(part_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file_.ok()) FailToWrite();
  has_name_ = true;
}

OutputFile::~OutputFile() {
  if (has_name_) unlink(part_.c_str());
}

std::filesystem::path OutputFile::path() const {
  return has_name_ ? part_ : std::filesystem::path(PathOf(file_));
}

void OutputFile::FailToWrite() const { Fail(target_.string(), ": cannot write: ", std::strerror(errno)); }

void OutputFile::Write(const FileDescriptor& file, std::span<const uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) FailToWrite();
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void OutputFile::Append(std::span<const uint8_t> bytes) { Write(weights_, bytes); }

void OutputFile::Assemble(std::span<const uint8_t> metadata) {
  const int from = weights_.number(), to = file_.number();
  const off_t weight_bytes = lseek(from, 0, SEEK_END);
  if (weight_bytes < 0 || lseek(to, 0, SEEK_SET) < 0 || ftruncate(to, 0) != 0) FailToWrite();
  Write(file_, metadata);
  for (off_t offset = 0; offset < weight_bytes;) {
    if (sendfile(to, from, &offset, static_cast<size_t>(weight_bytes - offset)) < 0 && errno != EINTR)
      FailToWrite();
  }
}

void OutputFile::ReplaceMetadata(std::span<const uint8_t> metadata) {
  if (lseek(file_.number(), 0, SEEK_SET) < 0) FailToWrite();
  Write(file_, metadata);
}

void OutputFile::Commit() {
  if (fsync(file_.number()) != 0) FailToWrite();
  if (!has_name_) {
    unlink(part_.c_str());  // left over by another process with the same number
    if (linkat(AT_FDCWD, PathOf(file_).c_str(), AT_FDCWD, part_.c_str(), AT_SYMLINK_FOLLOW) != 0)
      FailToWrite();
    has_name_ = true;
  }
  if (rename(part_.c_str(), target_.c_str()) != 0) FailToWrite();
  has_name_ = false;
}

}  // namespace vitrine
