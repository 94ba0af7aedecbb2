// SPDX-License-Identifier: Apache-2.0
// PickleStack: the bytes that the pickle machine reads and the stack that it uses, with all bounds checked.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/pickle.h"
#include "converter/error.h"

namespace vitrine::checkpoint {

class PickleStack {
 public:
  PickleStack(Pickle& pickle, std::span<const std::byte> bytes, const std::string& where)
      : pickle_(pickle), bytes_(bytes), where_(where) {}

  template <typename... Parts>
  [[noreturn]] void Damaged(const Parts&... parts) const {
    Fail(where_, " is damaged near byte ", position_, ": ", parts...);
  }

  // --- bytes ---

  std::string_view Take(uint64_t count) {
    if (count > bytes_.size() - position_) Damaged("the pickle is cut short");
    const char* at = reinterpret_cast<const char*>(bytes_.data()) + position_;
    position_ += count;
    return {at, count};
  }

  uint64_t Unsigned(size_t byte_count) {
    uint64_t value = 0;
    std::memcpy(&value, Take(byte_count).data(), byte_count);
    return value;
  }

  std::string_view Line() {
    const std::string_view rest = Take(bytes_.size() - position_);
    const size_t length = rest.find('\n');
    if (length == rest.npos) Damaged("the pickle is cut short");
    position_ -= rest.size() - length - 1;
    return rest.substr(0, length);
  }

  // --- values and the stack ---

  PickleValue* Make(PickleValue::Kind kind) {
    constexpr size_t kMostValues = 2'000'000;
    if (pickle_.values_.size() == kMostValues) Damaged("it has over ", kMostValues, " values");
    pickle_.values_.emplace_back().kind = kind;
    return &pickle_.values_.back();
  }

  PickleValue* Push(PickleValue* value) {
    stack_.push_back(value);
    return value;
  }

  PickleValue* Top() {
    if (stack_.size() <= Floor()) Damaged("its stack is empty");
    return stack_.back();
  }

  std::vector<PickleValue*> Pop(size_t count) {
    if (stack_.size() - Floor() < count) Damaged("its stack is empty");
    std::vector<PickleValue*> values(stack_.end() - count, stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }

  PickleValue* Pop() {
    PickleValue* value = Top();
    stack_.pop_back();
    return value;
  }

  void Mark() { marks_.push_back(stack_.size()); }

  std::vector<PickleValue*> PopToMark() {
    if (marks_.empty()) Damaged("a mark is missing");
    std::vector<PickleValue*> values(stack_.begin() + marks_.back(), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return values;
  }

  /// Ends the pickle with its value on top of the stack.
  void Finish() {
    pickle_.root_ = Pop();
    pickle_.position_ = position_;
  }

 private:
  // Instructions cannot reach the values below the last mark.
  size_t Floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Pickle& pickle_;
  const std::span<const std::byte> bytes_;
  const std::string& where_;
  size_t position_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
};

}  // namespace vitrine::checkpoint
