// SPDX-License-Identifier: Apache-2.0
// Tensors in a torch pickle: a call of torch._utils._rebuild_tensor_v2 or a similar function on a storage,
// whose bytes are elsewhere in the file.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "converter/checkpoint/pickle.h"
#include "converter/checkpoint/tensor.h"

namespace vitrine::checkpoint {

/// A storage as the pickle describes it: `('storage', torch.FloatStorage, '0', 'cpu', 64)`.
struct TorchStorage {
  std::string_view key;
  std::string_view type;  ///< "FloatStorage"
  int64_t elements;       ///< bytes when the type is UntypedStorage
};

/// Returns the storage that `value` describes; nullopt when it describes none.
std::optional<TorchStorage> AsStorage(const PickleValue& value);
/// Returns the bytes of one element of a storage type; 0 for a type that torch does not have.
size_t StorageElementBytes(std::string_view type);

/// Returns whether `value` describes a tensor of any kind.
bool IsTensor(const PickleValue& value);

/// Returns a storage's bytes, at least as many as the description has.
using FindStorage = std::function<std::span<const std::byte>(const TorchStorage&)>;

/// Returns the tensor that `value` describes, as a view of its storage. Error that begins with `where` when
/// the tensor has no plain numbers (quantized, sparse, complex, ...) or reaches outside of its storage.
Tensor MakeTensor(const PickleValue& value, const FindStorage& find, const std::string& where);

}  // namespace vitrine::checkpoint
