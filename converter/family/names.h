// SPDX-License-Identifier: Apache-2.0
// A checkpoint's tensors by the slots of a family's table.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/table.h"

namespace vitrine {

enum class Part { kWeight, kBias };  ///< tensors without a part are a weight

/// Fits a family's patterns to a checkpoint's names. Where a slot has several patterns the one that finds
/// most tensors is taken. `checkpoint` and `family` must outlive it.
class Names {
 public:
  Names(const checkpoint::Checkpoint& checkpoint, const Family& family);

  bool Has(Slot slot) const;  ///< any of its tensors, in any block
  bool Has(Slot slot, Part part) const;
  int depth() const { return depth_; }  ///< number of the last block that has a tensor, plus one

  /// The fraction of the checkpoint's tensors that the table knows, leaving out those that it ignores.
  double explained() const { return explained_; }
  bool has_blocks() const { return depth_ > 0; }

  /// The tensor, or nullptr; it then counts as used.
  const checkpoint::Tensor* Find(Slot slot, Part part, int block = 0) const;
  /// Its shape, or nothing, without using it.
  std::vector<int64_t> Shape(Slot slot, Part part, int block = 0) const;
  /// Its name in the checkpoint, or the name that it should have.
  std::string Name(Slot slot, Part part, int block = 0) const;

  /// Counts the slot's tensors as used: the output does not need them.
  void LeaveOut(Slot slot) const;

  /// Error with the name that is missing when the checkpoint has no tensor of the slot.
  void Require(Slot slot) const;

  /// Slots that the table says are always there and of which the checkpoint has no tensor.
  std::vector<Slot> Missing() const;

  /// Tensors that fit no pattern and are not ignored by the table.
  std::vector<std::string> Unknown() const;

  /// Tensors that were neither found by now nor are ignored by the table.
  std::vector<std::string> Unused() const;

 private:
  using Key = std::tuple<Slot, Part, int>;
  struct Found {
    const std::string* name;
    const checkpoint::Tensor* tensor;
    mutable bool used = false;
  };
  struct Candidate {  ///< one of a slot's patterns
    const char* pattern;
    std::vector<std::pair<Key, Found>> found;
  };
  using Candidates = std::map<Slot, std::vector<Candidate>>;

  /// Adds the tensor to every pattern that its name, without a wrapper's prefix, fits;
  /// false when there is none.
  bool Sort(const std::string& name, std::string_view inner, const checkpoint::Tensor& tensor,
            Candidates* candidates);
  /// Takes the pattern that found most; the tensors of the others are left over.
  void Choose(Slot slot, const std::vector<Candidate>& alternatives);

  const Family& family_;
  std::map<Key, Found> found_;
  std::map<Slot, const char*> patterns_;  ///< the one that the checkpoint uses
  std::vector<const std::string*> rest_;  ///< tensors that fit no pattern
  std::string block_prefix_, prefix_;     ///< what precedes most names of blocks, and of the rest
  int depth_ = 0;
  double explained_ = 0;
};

/// True when `value` is `pattern`, or begins with it where it ends in '*'.
bool MatchesEnd(std::string_view value, std::string_view pattern);

}  // namespace vitrine
