// SPDX-License-Identifier: Apache-2.0
// Names: a checkpoint's tensors by the slots of a family's table.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/table.h"

namespace vitrine {

enum class Part { kWeight, kBias };  ///< tensors without a part are a weight

/// Matches a family's patterns with a checkpoint's names. Of a slot's patterns, the one that matches most
/// tensors counts. `checkpoint` and `family` must outlive it.
class Names {
 public:
  Names(const checkpoint::Checkpoint& checkpoint, const Family& family);

  bool Has(Slot slot) const;  ///< any of its tensors, in any block
  bool Has(Slot slot, Part part) const;
  int depth() const { return depth_; }  ///< number of the last block that has a tensor, plus one

  /// Returns the fraction of the checkpoint's tensors that match the table. Ignored tensors do not count.
  double explained() const { return explained_; }
  bool has_blocks() const { return depth_ > 0; }

  /// Returns the tensor and marks it as used; nullptr when there is none.
  const checkpoint::Tensor* Find(Slot slot, Part part, int block = 0) const;
  /// Returns its shape and does not mark it; empty when there is none.
  std::vector<int64_t> Shape(Slot slot, Part part, int block = 0) const;
  /// Returns its name in the checkpoint, or the name that it should have.
  std::string Name(Slot slot, Part part, int block = 0) const;

  /// Marks the slot's tensors as used: the output does not need them.
  void LeaveOut(Slot slot) const;

  /// Error with the missing name when the checkpoint has no tensor of the slot.
  void Require(Slot slot) const;

  /// Returns the slots with kAlways of which the checkpoint has no tensor.
  std::vector<Slot> Missing() const;

  /// Returns the tensors that match no pattern and are not ignored.
  std::vector<std::string> Unknown() const;

  /// Returns the tensors that are neither marked as used so far nor ignored.
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

  /// Adds the tensor to every pattern that matches `inner`, its name without a wrapper's prefix. Returns
  /// false when none does.
  bool Sort(const std::string& name, std::string_view inner, const checkpoint::Tensor& tensor,
            Candidates* candidates);
  /// Chooses the pattern that matched most tensors. The tensors of the others are unknown.
  void Choose(Slot slot, const std::vector<Candidate>& alternatives);

  const Family& family_;
  std::map<Key, Found> found_;
  std::map<Slot, const char*> patterns_;  ///< the one that the checkpoint uses
  std::vector<const std::string*> rest_;  ///< tensors that match no pattern
  std::string block_prefix_, prefix_;     ///< the prefix of most names in blocks, and of the rest
  int depth_ = 0;
  double explained_ = 0;
};

/// Returns whether `value` is `pattern`, or begins with it if `pattern` ends in '*'.
bool MatchesEnd(std::string_view value, std::string_view pattern);

}  // namespace vitrine
