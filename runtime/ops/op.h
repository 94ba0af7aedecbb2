// SPDX-License-Identifier: Apache-2.0
// Op: one operator of a program. Each kind is one file in this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <pthreadpool.h>
#include <vector>
#include <vitrine/status.hpp>

#include "runtime/program/program.h"

namespace vitrine {

class PackedWeights;

/// Up to four tensor indices; -1 for none.
struct TensorList {
  TensorList(int a = -1, int b = -1, int c = -1, int d = -1) : tensors{a, b, c, d} {}
  std::array<int, 4> tensors;
};

/// The tensors that an operator uses; -1 for none.
struct Operands {
  TensorList reads;
  int writes = -1;   ///< writes all of it
  int updates = -1;  ///< reads and changes in place
  int beside = -1;   ///< a second output
  /// Returns the main output.
  int output() const { return writes >= 0 ? writes : updates; }
};

/// The cost of an operator, and the names of its kind and types.
struct OpCost {
  const char* kind;  ///< "Linear"
  /// In XNNPACK's grammar: "qd8_f32_qc8w" is dynamic int8 input, f32 output, per-channel int8 weights.
  const char* type;
  int64_t macs = 0;        ///< multiply-accumulates in matrix products
  int64_t parameters = 0;  ///< trained values
};

/// The addresses of the tensors and of the operator's scratch memory in the arena.
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

/// How an operator mixes tokens: each output row is a weighted sum of input rows. The weights are [rows,
/// columns]; each row of them has the sum 1.
struct TokenMix {
  size_t rows = 0, columns = 0;  ///< 0 when it does not mix tokens
  bool is_attention = false;
  bool is_added = false;  ///< the result is added to the token itself: attention within a block
};

/// An operator. MakeOp() makes and checks it; then follow XNNPACK's four phases, each once except Run:
///
///   Create   reads and verifies its constants, packs weights                 allocates
///   Reshape  sets the thread count, returns the size of scratch memory       allocates
///   Setup    receives the addresses of its tensors and scratch memory
///   Run      computes; no allocation, no lock except the pool's, no branch on shape
///
/// Not thread-safe; one session owns it.
class Op {
 public:
  virtual ~Op() = default;
  virtual Operands operands() const = 0;
  virtual OpCost cost() const = 0;
  /// Verifies the constants. Packs weights into `packed`, or finds them there.
  virtual Status Create(PackedWeights& packed) {
    (void)packed;
    return {};
  }
  /// Sets `scratch_bytes` to the scratch memory that Run needs with the threads of `pool`.
  virtual Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) {
    (void)pool;
    *scratch_bytes = 0;
    return {};
  }
  /// Keeps the addresses of its tensors and scratch memory.
  virtual Status Setup(const Memory& memory) = 0;
  virtual void Run(pthreadpool_t pool) = 0;
  virtual TokenMix token_mix() const { return {}; }
  /// Returns the size of the scratch memory that WriteTokenWeights needs.
  virtual size_t TokenWeightsBytes(pthreadpool_t pool) const {
    (void)pool;
    return 0;
  }
  /// Sets `weights` to the weights of token_mix() in the last Run. Call it before another operator runs.
  virtual void WriteTokenWeights(pthreadpool_t pool, std::byte* scratch, float* weights) const {
    (void)pool, (void)scratch, (void)weights;
  }
  /// Returns the constants that are no longer needed after Create has packed them; -1 for none.
  virtual std::array<int, 2> packed_constants() const { return {-1, -1}; }
};

/// Returns operator `index` of the program, with checked shapes, types and references; Create() comes later.
/// Fails with kInvalidModel or kUnsupportedModel and a message that names the operator. The program must
/// outlive the Op.
Result<std::unique_ptr<Op>> MakeOp(const Program& program, int index);

// The maker of each kind, in its own file.
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

using OpList = std::vector<std::unique_ptr<Op>>;

/// Returns all operators of the program, made and checked by MakeOp(). Fails as MakeOp() does.
Result<OpList> MakeOps(const Program& program);

/// The first and the last operator that use a tensor. An unused tensor has last < first and needs no memory.
struct LiveRange {
  int first = 0;
  int last = -1;
};

/// Returns the live range of each tensor. The input lives from the start and the outputs to the end. Fails
/// with kInvalidModel when an operator reads a tensor that no operator has written, when it writes a tensor
/// that it also reads or writes as another operand, or when no operator writes an output.
Result<std::vector<LiveRange>> FindLiveRanges(const Program& program, const OpList& ops);

}  // namespace vitrine
