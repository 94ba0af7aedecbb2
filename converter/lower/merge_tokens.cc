// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/merge_tokens.h"

#include <algorithm>
#include <optional>
#include <string>

#include "converter/error.h"

namespace vitrine {
namespace {

/// Returns the most tokens that a block can merge: those with an even index, and none if there is no token with an odd
/// index to merge into.
int Mergeable(int tokens, int prefix) {
  const int even = (tokens + 1) / 2 - (prefix + 1) / 2, odd = tokens / 2 - prefix / 2;
  return odd > 0 ? even : 0;
}

/// Walks a program in its order. Tensors after a merge have only the rows that are left.
class Merging {
 public:
  Merging(const schema::ModelT& model, std::span<const Layer> layers, const VitConfig& config, int merged)
      : config_(config), merged_(merged), rows_(config.tokens()), all_rows_(config.tokens()) {
    schema::LevelT& level = program.level;
    level.merged_tokens = static_cast<uint32_t>(merged);
    level.input = model.input;
    level.logits = model.logits;
    level.embedding = model.embedding;
    for (const auto& tensor : model.tensors)
      level.tensors.push_back(std::make_unique<schema::TensorT>(*tensor));
    for (size_t i = 0; i < model.operators.size(); ++i) Take(*model.operators[i], layers[i]);
  }

  MergedProgram program;

 private:
  schema::TensorT& tensor(int index) { return *program.level.tensors[static_cast<size_t>(index)]; }

  void Take(schema::OperatorT op, const Layer& layer) {
    if (auto* attention = op.kind.AsAttention()) TakeAttention(attention);
    if (auto* normalize = op.kind.AsNormalize()) TakeNormalize(layer, normalize);
    if (auto* add = op.kind.AsAdd()) add->residual = Moved(add->residual);
    if (auto* linear = op.kind.AsLinear()) Shrink(linear->output);
    if (auto* activate = op.kind.AsActivate()) Shrink(activate->output);
    if (auto* pool = op.kind.AsPool()) TakePool(pool);
    Add(layer, std::make_unique<schema::OperatorT>(std::move(op)));
  }

  void Add(const Layer& layer, std::unique_ptr<schema::OperatorT> op) {
    program.level.operators.push_back(std::move(op));
    program.operators.push_back(layer);
  }

  void TakeAttention(schema::AttentionT* op) {
    op->sizes = sizes_;
    Shrink(op->output);
    // An attention with fewer rows than tokens is the last block's: the other tokens are not read again.
    if (static_cast<int>(tensor(op->output).rows) == rows_) attention_ = *op;
  }

  /// Merges tokens before the first normalization after an attention that adds to the residual stream.
  void TakeNormalize(const Layer& layer, schema::NormalizeT* op) {
    op->residual = Moved(op->residual);
    if (attention_ && op->delta >= 0) Merge({layer.block, Kind::kMerge}, op);
    Shrink(op->output);
  }

  void Merge(const Layer& layer, schema::NormalizeT* next) {
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
    const std::string name = NameOf(layer);
    op.output = AddTensor(name, rows_, tensor(op.tokens).columns);
    op.output_sizes = sizes_ = AddTensor(name + " sizes", 2, static_cast<uint32_t>(rows_));
    if (residual_ < 0) original_ = op.tokens;
    residual_ = op.output;
    next->residual = op.output;
    next->delta = -1;
    auto merge = std::make_unique<schema::OperatorT>();
    merge->name = name;
    merge->kind.Set(std::move(op));
    Add(layer, std::move(merge));
  }

  void TakePool(schema::PoolT* op) {
    op->input = Moved(op->input);
    if (sizes_ < 0 || static_cast<int>(tensor(op->input).rows) != rows_) return;
    op->sizes = sizes_;
    const uint32_t removed = static_cast<uint32_t>(all_rows_ - rows_);
    for (schema::RowRange& range : op->ranges) {
      // The patches are the range that reaches the last token.
      if (range.first() + range.count() == static_cast<uint32_t>(all_rows_))
        range = schema::RowRange(range.first(), range.count() - removed);
    }
  }

  int AddTensor(const std::string& name, int rows, uint32_t columns) {
    auto tensor = std::make_unique<schema::TensorT>();
    tensor->name = name;
    tensor->rows = static_cast<uint32_t>(rows);
    tensor->columns = columns;
    program.level.tensors.push_back(std::move(tensor));
    return static_cast<int>(program.level.tensors.size()) - 1;
  }

  /// Returns the tensor that replaces `index`: after a merge the residual stream is another tensor.
  int Moved(int index) const { return residual_ >= 0 && index == original_ ? residual_ : index; }

  /// Cuts a tensor that has a row for each token to a row for each token that is left.
  void Shrink(int output) {
    if (static_cast<int>(tensor(output).rows) == all_rows_)
      tensor(output).rows = static_cast<uint32_t>(rows_);
  }

  const VitConfig& config_;
  const int merged_;
  int rows_;                                     // tokens at this point
  const int all_rows_;                           // tokens without merging
  int sizes_ = -1;                               // the tensor of how many tokens each token stands for
  int original_ = -1, residual_ = -1;            // the residual stream's tensor without merging, and now
  std::optional<schema::AttentionT> attention_;  // has the keys by which the next normalization merges
};

}  // namespace

void CheckMerging(const VitConfig& config, int merged) {
  const int most = Mergeable(config.tokens(), config.prefix_tokens);
  if (merged > most)
    FailUsage("--merge-tokens ", merged, ": a block of ", config.tokens(), " tokens can merge at most ",
              most);
}

MergedProgram MergeTokens(const schema::ModelT& model, std::span<const Layer> layers, const VitConfig& config,
                          int merged) {
  for (const auto& op : model.operators) {
    const auto* attention = op->kind.AsAttention();
    if (merged > 0 && (op->kind.AsRotateHeads() != nullptr || (attention != nullptr && attention->bias >= 0)))
      Fail(
          "--merge-tokens: this model has rotary or relative positions; merging needs positions that are "
          "added to "
          "the tokens");
  }
  return std::move(Merging(model, layers, config, merged).program);
}

}  // namespace vitrine
