// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/zip_archive.h"

#include <unzip.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

// A mapped file as minizip's input and output functions.
struct Cursor {
  std::span<const std::byte> bytes;
  uint64_t position = 0;
};

void* OpenBytes(void* cursor, const void*, int) { return cursor; }

uLong ReadBytes(void*, void* stream, void* to, uLong count) {
  Cursor& cursor = *static_cast<Cursor*>(stream);
  count = std::min<uint64_t>(count, cursor.bytes.size() - cursor.position);
  std::memcpy(to, cursor.bytes.data() + cursor.position, count);
  cursor.position += count;
  return count;
}

uLong WriteBytes(void*, void*, const void*, uLong) { return 0; }

ZPOS64_T Tell(void*, void* stream) { return static_cast<Cursor*>(stream)->position; }

long Seek(void*, void* stream, ZPOS64_T offset, int origin) {
  Cursor& cursor = *static_cast<Cursor*>(stream);
  const uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? cursor.position
                        : origin == ZLIB_FILEFUNC_SEEK_END ? cursor.bytes.size()
                                                           : 0;
  if (offset > cursor.bytes.size() - base) return -1;
  cursor.position = base + offset;
  return 0;
}

int Close(void*, void*) { return 0; }

int LastError(void*, void*) { return 0; }

// minizip's handle on an archive.
class Unzip {
 public:
  explicit Unzip(const MappedFile& file) : file_(file), cursor_{file.bytes()} {
    zlib_filefunc64_def functions = {OpenBytes, ReadBytes, WriteBytes, Tell,
                                     Seek,      Close,     LastError,  &cursor_};
    handle_ = unzOpen2_64(&cursor_, &functions);
    if (handle_ == nullptr) {
      Fail(file.name(), " is cut short or damaged: the zip directory at its end is missing");
    }
  }
  ~Unzip() { unzClose(handle_); }
  Unzip(const Unzip&) = delete;

  bool First() { return unzGoToFirstFile(handle_) == UNZ_OK; }
  bool Next() { return Check(unzGoToNextFile(handle_), UNZ_END_OF_LIST_OF_FILE, "its directory"); }

  std::string Name(unz_file_info64& info) {
    std::string name(1024, '\0');
    Check(unzGetCurrentFileInfo64(handle_, &info, name.data(), name.size(), nullptr, 0, nullptr, 0), UNZ_OK,
          "its directory");
    if (info.size_filename >= name.size()) Fail(file_.name(), " is damaged: a name in it is too long");
    name.resize(info.size_filename);
    return name;
  }

  // Returns where the content begins: after the entry's own header, which has a variable length.
  uint64_t DataOffset(const std::string& name) {
    Check(unzOpenCurrentFile2(handle_, nullptr, nullptr, /*raw=*/1), UNZ_OK, name);
    const uint64_t offset = unzGetCurrentFileZStreamPos64(handle_);
    unzCloseCurrentFile(handle_);
    return offset;
  }

 private:
  // True for UNZ_OK, false for `end`; any other code is an Error.
  bool Check(int code, int end, const std::string& what) const {
    if (code != UNZ_OK && code != end) Fail(file_.name(), " is damaged: zip entry ", what, " cannot be read");
    return code == UNZ_OK;
  }

  const MappedFile& file_;
  Cursor cursor_;
  unzFile handle_ = nullptr;
};

void CheckSupported(const unz_file_info64& info, const std::string& where) {
  if ((info.flag & 1) != 0) Fail(where, " is encrypted");
  if (info.compression_method != 0 && info.compression_method != Z_DEFLATED) {
    Fail(where, " is compressed by method ", info.compression_method, ", expected stored or deflated");
  }
  if (info.compression_method == 0 && info.compressed_size != info.uncompressed_size) {
    Fail(where, " is damaged: it has two sizes");
  }
}

ZipArchive::Entry MakeEntry(const unz_file_info64& info, uint64_t offset, const MappedFile& file,
                            const std::string& where) {
  if (offset > file.bytes().size() || info.compressed_size > file.bytes().size() - offset) {
    Fail(where, " ends at byte ", offset + info.compressed_size, ", the file has ", file.bytes().size());
  }
  const bool deflated = info.compression_method == Z_DEFLATED;
  return {file.bytes().subspan(offset, info.compressed_size), info.uncompressed_size, info.crc, deflated};
}

void Inflate(const ZipArchive::Entry& entry, std::byte* to, const std::string& where) {
  z_stream stream = {};
  const int raw_deflate = -MAX_WBITS;
  if (inflateInit2(&stream, raw_deflate) != Z_OK) Fail(where, " cannot be decompressed");
  // zlib counts in 32 bits, so input and output are passed in pieces.
  constexpr uint64_t kPiece = 1 << 30;
  uint64_t taken = 0, given = 0;
  int code = Z_OK;
  while (code == Z_OK || code == Z_BUF_ERROR) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(entry.packed.data() + taken));
    stream.avail_in = static_cast<uInt>(std::min(kPiece, entry.packed.size() - taken));
    stream.next_out = reinterpret_cast<Bytef*>(to + given);
    stream.avail_out = static_cast<uInt>(std::min(kPiece, entry.bytes - given));
    const auto [in, out] = std::pair(stream.avail_in, stream.avail_out);
    code = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    given += out - stream.avail_out;
    if (code != Z_STREAM_END && in == stream.avail_in && out == stream.avail_out) break;
  }
  inflateEnd(&stream);
  if (code != Z_STREAM_END || given != entry.bytes) {
    Fail(where, " is damaged: its decompressed size is wrong");
  }
  if (crc32_z(0, reinterpret_cast<const Bytef*>(to), given) != entry.crc32) {
    Fail(where, " is damaged: its CRC differs");
  }
}

}  // namespace

ZipArchive::ZipArchive(const MappedFile& file) : file_(file) {
  Unzip unzip(file);
  for (bool more = unzip.First(); more; more = unzip.Next()) {
    unz_file_info64 info;
    const std::string name = unzip.Name(info);
    const std::string where = file.name() + ": zip entry " + name;
    CheckSupported(info, where);
    if (!entries_.emplace(name, MakeEntry(info, unzip.DataOffset(name), file, where)).second) {
      Fail(where, " is in the archive twice");
    }
  }
}

std::span<const std::byte> ZipArchive::Read(const std::string& name) {
  Entry& entry = entries_.at(name);
  if (!entry.deflated) return entry.packed;
  const std::string where = file_.name() + ": zip entry " + name;
  constexpr uint64_t kLargestRatio = 64, kAllowance = 16 << 20;
  const uint64_t limit = file_.bytes().size() * kLargestRatio + kAllowance;
  if (entry.bytes > limit - inflated_bytes_) {
    Fail(where, " decompresses to ", entry.bytes, " bytes, which is too much");
  }
  inflated_bytes_ += entry.bytes;
  inflated_.push_back(std::make_unique_for_overwrite<std::byte[]>(entry.bytes));
  Inflate(entry, inflated_.back().get(), where);
  entry.packed = {inflated_.back().get(), entry.bytes};
  entry.deflated = false;  // from now on it is a view of our memory
  return entry.packed;
}

}  // namespace vitrine::checkpoint
