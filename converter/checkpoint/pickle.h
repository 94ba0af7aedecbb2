// SPDX-License-Identifier: Apache-2.0
// Pickle: a restricted unpickler. It builds plain data and runs nothing: whatever a pickle would import, call
// or instantiate becomes an inert object that says what it would have been.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::checkpoint {

/// One Python value. Values refer to each other freely (a list may hold itself), so
/// whoever walks them counts.
struct PickleValue {
  enum class Kind : uint8_t {
    kNone,
    kBool,
    kInt,
    kFloat,
    kString,
    kBytes,  ///< bytes, a bytearray, or the little-endian bytes of an integer beyond 64 bits
    kTuple,
    kList,        ///< a list or a set
    kDict,        ///< a dict, OrderedDict or defaultdict
    kGlobal,      ///< the name of a class or function
    kObject,      ///< what calling one would have given
    kPersistent,  ///< an object that the pickle keeps outside of itself: for torch, a storage
  };

  Kind kind = Kind::kNone;
  int64_t integer = 0;                     ///< kBool, kInt
  double real = 0;                         ///< kFloat
  std::string_view text;                   ///< kString, kBytes: the content; kGlobal, kObject: the name
  std::string_view module;                 ///< kGlobal, kObject: where the name would be imported from
  std::vector<PickleValue*> items;         ///< kTuple, kList: elements; kDict: key, value, key, value, ...
  const PickleValue* arguments = nullptr;  ///< kObject: of the call; kPersistent: what identifies it
  PickleValue* state = nullptr;  ///< kObject: its attributes, or its items when it is a kind of dict

  bool is(Kind other) const { return kind == other; }
  /// The last value under a string key of a kDict; null when there is none, or when this is no dict.
  const PickleValue* Find(std::string_view key) const;
  /// Argument `i` of a kObject or kPersistent; null when there are fewer.
  const PickleValue* Argument(size_t i) const;
};

/// A parsed pickle. Strings view `bytes`, which must outlive it.
class Pickle {
 public:
  /// Parses one pickle of protocol 2 to 5 at the start of `bytes`. Error, beginning with `where`, when it is
  /// damaged, cut short, or beyond what a checkpoint needs: 2 million values, 16 million instructions.
  Pickle(std::span<const std::byte> bytes, std::string where);

  const PickleValue& root() const { return *root_; }
  /// How many bytes the pickle took: another may follow.
  size_t bytes_read() const { return position_; }
  /// Every value that was made, the unreachable ones included.
  const std::deque<PickleValue>& values() const { return values_; }

 private:
  friend class PickleStack;
  std::deque<PickleValue> values_;  // a deque, because values point at each other
  const PickleValue* root_ = nullptr;
  size_t position_ = 0;
};

}  // namespace vitrine::checkpoint
