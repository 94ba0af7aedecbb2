// SPDX-License-Identifier: Apache-2.0
// Op: one operator of a program, from its check to its run. Each kind is one file in this folder.
#pragma once

#include <pthreadpool.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vitrine/status.hpp>

#include "runtime/program/program.h"

namespace vitrine {

class PackedWeights;

/// Up to four tensors.
struct TensorList {
  TensorList(int a = -1, int b = -1, int c = -1, int d = -1) : tensors{a, b, c, d} {}
  std::array<int, 4> tensors;
};

/// The tensors that an operator touches; -1 where there is none.
struct Operands {
  TensorList reads;
  int writes = -1;   ///< all of it, whatever it held before
  int updates = -1;  ///< reads and changes in place
  int beside = -1;   ///< another that it writes
  /// The tensor that people call its output.
  int output() const { return writes >= 0 ? writes : updates; }
};

/// What an operator costs and how its types are called, for people.
struct OpCost {
  const char* kind;  ///< "Linear"
  const char*
      type;  ///< XNNPACK's grammar: "qd8_f32_qc8w" is dynamic int8 in, f32 out, per-channel int8 weights
  int64_t macs = 0;        ///< multiply-accumulates in matrix products
  int64_t parameters = 0;  ///< trained values that it reads
};

/// Where the session has put things, by tensor index.
class Memory {
 public:
  Memory(std::byte* const* tensors, std::byte* scratch) : tensors_(tensors), scratch_(scratch) {}
  template <typename T>
  T* tensor(int index) const {
    return index < 0 ? nullptr : reinterpret_cast<T*>(tensors_[index]);
  }
  std::byte* scratch() const { return scratch_; }

 private:
  std::byte* const* tensors_;
  std::byte* scratch_;
};

/// How an operator makes rows of tokens of other rows: with weights [rows, columns] that
/// sum to one in each row.
struct TokenMix {
  size_t rows = 0, columns = 0;  ///< none where it mixes no tokens
  bool is_attention = false;
  bool is_added = false;  ///< what it makes is added to the token itself: attention within a block
};

/// An operator. Its life: made and checked by MakeOp, then XNNPACK's four phases, each once but Run:
///
///   Create   reads and verifies its constants, packs weights                  allocates
///   Reshape  fixes the thread count, says how much scratch memory it needs    allocates
///   Setup    learns where its tensors and its scratch memory lie
///   Run      computes; no allocation, no lock beyond the pool's, no branch on shape
///
/// Not thread-safe; one session owns it.
class Op {
 public:
  virtual ~Op() = default;
  virtual Operands operands() const = 0;
  virtual OpCost cost() const = 0;
  /// Weights that it packs go to, or come from, `packed`.
  virtual Status Create(PackedWeights& packed) {
    (void)packed;
    return {};
  }
  /// Sets `scratch_bytes` to what Run needs while it runs, `threads` threads working.
  virtual Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) {
    (void)pool;
    *scratch_bytes = 0;
    return {};
  }
  virtual Status Setup(const Memory& memory) = 0;
  virtual void Run(pthreadpool_t pool) = 0;
  virtual TokenMix token_mix() const { return {}; }
  /// Scratch memory that WriteTokenWeights needs beside Run's.
  virtual size_t TokenWeightsBytes(pthreadpool_t pool) const {
    (void)pool;
    return 0;
  }
  /// Sets `weights` to those of the last Run, before another operator has run.
  virtual void WriteTokenWeights(pthreadpool_t pool, std::byte* scratch, float* weights) const {
    (void)pool, (void)scratch, (void)weights;
  }
  /// Constants whose bytes are only needed until Create has packed them; -1 where there is none.
  virtual std::array<int, 2> packed_constants() const { return {-1, -1}; }
};

/// Returns operator `index` of the program once its shapes, types and references make sense together;
/// nothing is created. Fails with kInvalidModel and a message that names the operator. The program
/// must outlive the Op.
Result<std::unique_ptr<Op>> MakeOp(const Program& program, int index);

// One maker for each kind, in its own file.
using MadeOp = Result<std::unique_ptr<Op>>;
MadeOp MakePixelsToRows(const Program& program, const schema::PixelsToRows& op);
MadeOp MakeLinear(const Program& program, const schema::Linear& op);
MadeOp MakeAddPositions(const Program& program, const schema::AddPositions& op);
MadeOp MakeNormalize(const Program& program, const schema::Normalize& op);
MadeOp MakeAttention(const Program& program, const schema::Attention& op);
MadeOp MakeActivate(const Program& program, const schema::Activate& op);
MadeOp MakePool(const Program& program, const schema::Pool& op);
MadeOp MakeAdd(const Program& program, const schema::Add& op);
MadeOp MakeNormalizeHeads(const Program& program, const schema::NormalizeHeads& op);
MadeOp MakeRotateHeads(const Program& program, const schema::RotateHeads& op);
MadeOp MakeMergeTokens(const Program& program, const schema::MergeTokens& op);
MadeOp MakeFill(const Program& program, const schema::Fill& op);

}  // namespace vitrine
