// SPDX-License-Identifier: Apache-2.0
// What torch pickles in place of a tensor: a call of torch._utils._rebuild_tensor_v2 and the like, on a
// storage that the pickle names and the file holds elsewhere.
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

/// Nothing when `value` is no storage.
std::optional<TorchStorage> AsStorage(const PickleValue& value);
/// Bytes of one element of a storage type; 0 for a type that torch does not have.
size_t StorageElementBytes(std::string_view type);

/// Whether `value` stands for a tensor, of whatever kind.
bool IsTensor(const PickleValue& value);

/// Gives a storage's bytes, at least as many as the description asks for.
using FindStorage = std::function<std::span<const std::byte>(const TorchStorage&)>;

/// The tensor that `value` stands for, as a view of its storage. Error, beginning with `where`, when it
/// is of a kind that holds no plain numbers (quantized, sparse, complex, ...), or when it reaches
/// outside of its storage.
Tensor MakeTensor(const PickleValue& value, const FindStorage& find, const std::string& where);

}  // namespace vitrine::checkpoint
