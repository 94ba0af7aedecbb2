// SPDX-License-Identifier: Apache-2.0
// Pickle: a restricted unpickler. It builds plain data and runs nothing. An object that a pickle would
// import, call or create becomes an inert value with the object's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::checkpoint {

/// One Python value. Values may refer to each other in circles (a list may contain itself), so code that
/// walks them must limit its steps.
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
    kObject,      ///< the result of a call, which is not made
    kPersistent,  ///< an object outside the pickle: for torch, a storage
  };

  Kind kind = Kind::kNone;
  int64_t integer = 0;                     ///< kBool, kInt
  double real = 0;                         ///< kFloat
  std::string_view text;                   ///< kString, kBytes: the content; kGlobal, kObject: the name
  std::string_view module;                 ///< kGlobal, kObject: the module that has the name
  std::vector<PickleValue*> items;         ///< kTuple, kList: elements; kDict: key, value, key, value, ...
  const PickleValue* arguments = nullptr;  ///< kObject: of the call; kPersistent: its identity
  PickleValue* state = nullptr;            ///< kObject: its attributes; a kind of dict: its items

  bool is(Kind other) const { return kind == other; }
  /// Returns the last value with this string key; null when there is none, or when this is not a kDict.
  const PickleValue* Find(std::string_view key) const;
  /// Returns argument `i` of a kObject or kPersistent; null when there are fewer.
  const PickleValue* Argument(size_t i) const;
};

/// A parsed pickle. Strings view `bytes`, which must outlive it.
class Pickle {
 public:
  /// Parses one pickle of protocol 2 to 5 at the start of `bytes`. Error that begins with `where` when it is
  /// damaged, cut short, or larger than any checkpoint's: 2 million values, 16 million instructions.
  Pickle(std::span<const std::byte> bytes, std::string where);

  const PickleValue& root() const { return *root_; }
  /// Returns the pickle's size in bytes: another pickle may follow.
  size_t bytes_read() const { return position_; }
  /// Returns every value, including those that the root does not reach.
  const std::deque<PickleValue>& values() const { return values_; }

 private:
  friend class PickleStack;
  std::deque<PickleValue> values_;  // a deque, because values point to each other
  const PickleValue* root_ = nullptr;
  size_t position_ = 0;
};

}  // namespace vitrine::checkpoint
