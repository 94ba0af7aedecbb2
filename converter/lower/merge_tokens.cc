// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/merge_tokens.h"

#include <algorithm>
#include <optional>
#include <string>

#include "converter/error.h"

namespace vitrine {
namespace {

/// Of the tokens with an even index, no more than there are, and at least one must be left to merge into.
int Mergeable(int tokens, int prefix) {
  const int even = (tokens + 1) / 2 - (prefix + 1) / 2, odd = tokens / 2 - prefix / 2;
  return odd > 0 ? even : 0;
}

/// Walks a program in its order. What follows a merge has the rows that it leaves.
class Merging {
 public:
  Merging(const schema::ModelT& model, const VitConfig& config, int merged)
      : config_(config), merged_(merged), rows_(config.tokens()), all_rows_(config.tokens()) {
    level.merged_tokens = static_cast<uint32_t>(merged);
    level.input = model.input;
    level.logits = model.logits;
    level.embedding = model.embedding;
    for (const auto& tensor : model.tensors)
      level.tensors.push_back(std::make_unique<schema::TensorT>(*tensor));
    for (const auto& op : model.operators) Take(*op);
  }

  schema::LevelT level;

 private:
  schema::TensorT& tensor(int index) { return *level.tensors[static_cast<size_t>(index)]; }

  void Take(schema::OperatorT op) {
    if (auto* attention = op.kind.AsAttention()) TakeAttention(attention);
    if (auto* normalize = op.kind.AsNormalize()) TakeNormalize(op.name, normalize);
    if (auto* add = op.kind.AsAdd()) add->residual = Moved(add->residual);
    if (auto* linear = op.kind.AsLinear()) Shrink(linear->output);
    if (auto* activate = op.kind.AsActivate()) Shrink(activate->output);
    if (auto* pool = op.kind.AsPool()) TakePool(pool);
    level.operators.push_back(std::make_unique<schema::OperatorT>(std::move(op)));
  }

  void TakeAttention(schema::AttentionT* op) {
    op->sizes = sizes_;
    Shrink(op->output);
    // Where fewer rows are asked for than there are tokens, the others are not read again.
    if (static_cast<int>(tensor(op->output).rows) == rows_) attention_ = *op;
  }

  /// The first normalization behind an attention that adds to the residual stream is where tokens are merged.
  void TakeNormalize(const std::string& name, schema::NormalizeT* op) {
    op->residual = Moved(op->residual);
    if (attention_ && op->delta >= 0) Merge(name, op);
    Shrink(op->output);
  }

  void Merge(const std::string& before, schema::NormalizeT* next) {
    const int prefix = config_.prefix_tokens;
    const int count = std::min(merged_, Mergeable(rows_, prefix));
    schema::MergeTokensT op;
    op.key = attention_->key;
    op.key_column = attention_->key_column;
    op.heads = attention_->heads;
    op.head_size = attention_->head_size;
    attention_.reset();
    if (count <= 0) return;
    rows_ -= count;
    op.tokens = next->residual;
    op.delta = next->delta;
    op.sizes = sizes_;
    op.protected_rows = static_cast<uint32_t>(prefix);
    const std::string name = before.substr(0, before.rfind(' ')) + " merge";
    op.output = AddTensor(name, rows_, tensor(op.tokens).columns);
    op.output_sizes = sizes_ = AddTensor(name + " sizes", 2, static_cast<uint32_t>(rows_));
    if (residual_ < 0) original_ = op.tokens;
    residual_ = op.output;
    next->residual = op.output;
    next->delta = -1;
    auto merge = std::make_unique<schema::OperatorT>();
    merge->name = name;
    merge->kind.Set(std::move(op));
    level.operators.push_back(std::move(merge));
  }

  void TakePool(schema::PoolT* op) {
    op->input = Moved(op->input);
    if (sizes_ < 0 || static_cast<int>(tensor(op->input).rows) != rows_) return;
    op->sizes = sizes_;
    const uint32_t removed = static_cast<uint32_t>(all_rows_ - rows_);
    for (schema::RowRange& range : op->ranges) {
      // A range that reaches the last token is of the patches.
      if (range.first() + range.count() == static_cast<uint32_t>(all_rows_))
        range = schema::RowRange(range.first(), range.count() - removed);
    }
  }

  int AddTensor(const std::string& name, int rows, uint32_t columns) {
    auto tensor = std::make_unique<schema::TensorT>();
    tensor->name = name;
    tensor->rows = static_cast<uint32_t>(rows);
    tensor->columns = columns;
    level.tensors.push_back(std::move(tensor));
    return static_cast<int>(level.tensors.size()) - 1;
  }

  /// The residual stream goes on in another tensor once tokens are merged.
  int Moved(int index) const { return residual_ >= 0 && index == original_ ? residual_ : index; }

  /// A row a token becomes a row for each that is left.
  void Shrink(int output) {
    if (static_cast<int>(tensor(output).rows) == all_rows_)
      tensor(output).rows = static_cast<uint32_t>(rows_);
  }

  const VitConfig& config_;
  const int merged_;
  int rows_;                                     // tokens at this point
  const int all_rows_;                           // tokens without merging
  int sizes_ = -1;                               // of the tokens, a tensor
  int original_ = -1, residual_ = -1;            // the residual stream's tensor without merging, and now
  std::optional<schema::AttentionT> attention_;  // whose tokens the next normalization merges
};

}  // namespace

void CheckMerging(const VitConfig& config, int merged) {
  const int most = Mergeable(config.tokens(), config.prefix_tokens);
  if (merged > most)
    FailUsage("--merge-tokens ", merged, ": a block of ", config.tokens(), " tokens can merge ", most,
              " at most");
}

schema::LevelT MergeTokens(const schema::ModelT& model, const VitConfig& config, int merged) {
  for (const auto& op : model.operators) {
    const auto* attention = op->kind.AsAttention();
    if (merged > 0 && (op->kind.AsRotateHeads() != nullptr || (attention != nullptr && attention->bias >= 0)))
      Fail(
          "--merge-tokens: this model's positions are rotary or relative; only positions that are added to "
          "the tokens go with merging");
  }
  return std::move(Merging(model, config, merged).level);
}

}  // namespace vitrine
