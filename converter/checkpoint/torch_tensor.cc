// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/torch_tensor.h"

#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

using Kind = PickleValue::Kind;

struct StorageType {
  std::string_view storage;  // class of typed storages
  std::string_view dtype;    // torch.dtype, which goes with untyped ones
  size_t bytes;
  std::optional<DType> ours;
};

constexpr StorageType kStorageTypes[] = {
    {"FloatStorage", "float32", 4, DType::kF32},
    {"HalfStorage", "float16", 2, DType::kF16},
    {"BFloat16Storage", "bfloat16", 2, DType::kBF16},
    {"DoubleStorage", "float64", 8, DType::kF64},
    {"CharStorage", "int8", 1, DType::kI8},
    {"ByteStorage", "uint8", 1, DType::kU8},
    {"ShortStorage", "int16", 2, DType::kI16},
    {"IntStorage", "int32", 4, DType::kI32},
    {"LongStorage", "int64", 8, DType::kI64},
    {"BoolStorage", "bool", 1, DType::kBool},
    {"ComplexFloatStorage", "complex64", 8, std::nullopt},
    {"ComplexDoubleStorage", "complex128", 16, std::nullopt},
    {"QInt8Storage", "qint8", 1, std::nullopt},
    {"QUInt8Storage", "quint8", 1, std::nullopt},
    {"QInt32Storage", "qint32", 4, std::nullopt},
    {"QUInt4x2Storage", "quint4x2", 1, std::nullopt},
    {"QUInt2x4Storage", "quint2x4", 1, std::nullopt},
    {"UntypedStorage", "", 1, std::nullopt},
};

struct Refused {
  std::string_view function;
  const char* kind;
};

constexpr Refused kRefused[] = {
    {"_rebuild_qtensor", "a quantized tensor"},
    {"_rebuild_sparse_tensor", "a sparse tensor"},
    {"_rebuild_sparse_csr_tensor", "a sparse tensor"},
    {"_rebuild_nested_tensor", "a nested tensor"},
    {"_rebuild_meta_tensor_no_storage", "a tensor on the meta device, which has no values"},
};

// A call of a function that rebuilds a tensor.
struct Rebuild {
  std::string_view function;
  const PickleValue* arguments;

  const PickleValue* Argument(size_t i) const {
    return arguments != nullptr && i < arguments->items.size() ? arguments->items[i] : nullptr;
  }
};

// Returns the call inside the wrappers that torch puts around it. Parameters wrap a tensor; subclasses have
// `(function, class, arguments, state)`. The limit stops at a wrapper that wraps itself.
Rebuild Unwrap(const PickleValue& value) {
  Rebuild call{value.text, value.arguments};
  for (int wrappers = 0; wrappers < 4; ++wrappers) {
    if (call.function == "_rebuild_parameter" || call.function == "_rebuild_parameter_with_state") {
      const PickleValue* data = call.Argument(0);
      if (data == nullptr) break;
      call = {data->text, data->arguments};
    } else if (call.function == "_rebuild_from_type" || call.function == "_rebuild_from_type_v2") {
      const PickleValue* function = call.Argument(0);
      if (function == nullptr) break;
      call = {function->text, call.Argument(2)};
    } else {
      break;
    }
  }
  return call;
}

const StorageType* FindType(const Rebuild& call, const TorchStorage& storage) {
  const bool untyped = call.function == "_rebuild_tensor_v3";
  const PickleValue* dtype = untyped ? call.Argument(6) : nullptr;
  if (untyped && dtype == nullptr) return nullptr;
  for (const StorageType& type : kStorageTypes) {
    if (untyped ? type.dtype == dtype->text : type.storage == storage.type) return &type;
  }
  return nullptr;
}

int64_t Integer(const PickleValue* value, const std::string& where) {
  if (value == nullptr || !value->is(Kind::kInt)) Fail(where, " is damaged: a size is not a number");
  return value->integer;
}

// A tuple, a list, or torch.Size of one.
std::vector<int64_t> Integers(const PickleValue* value, const std::string& where) {
  if (value != nullptr && value->is(Kind::kObject)) value = value->Argument(0);
  if (value == nullptr || (!value->is(Kind::kTuple) && !value->is(Kind::kList)) || value->items.size() > 16) {
    Fail(where, " is damaged: its size is not a tuple of numbers");
  }
  std::vector<int64_t> integers;
  for (const PickleValue* item : value->items) integers.push_back(Integer(item, where));
  return integers;
}

// One more than the last element that shape and strides reach from the first.
std::optional<int64_t> Extent(const Tensor& tensor) {
  int64_t extent = 1;
  for (size_t d = 0; d < tensor.shape.size(); ++d) {
    int64_t reach = 0;
    if (tensor.strides[d] < 0 || __builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &reach) ||
        __builtin_add_overflow(extent, reach, &extent)) {
      return std::nullopt;
    }
  }
  return extent;
}

std::string Describe(const Tensor& tensor, int64_t offset) {
  return ShapeText(tensor.shape) + " with strides " + ShapeText(tensor.strides) + " at " +
         std::to_string(offset);
}

// Cuts the tensor's bytes out of its storage of `elements` elements. An expanded tensor has more
// elements than its storage; up to 16 million are taken for honest, past that a small file would ask for
// any amount of memory.
void Cut(Tensor& tensor, std::span<const std::byte> storage, int64_t offset, int64_t elements,
         const std::string& where) {
  constexpr int64_t kLargestExpanded = 1 << 24;
  const auto count = CountElements(tensor.shape);
  const bool same_rank = tensor.shape.size() == tensor.strides.size();
  if (!count || !same_rank || offset < 0) Fail(where, " is damaged: it is ", Describe(tensor, offset));
  if (*count == 0) {
    tensor.strides = RowMajorStrides(tensor.shape);
    return;
  }
  const auto extent = Extent(tensor);
  if (!extent || offset > elements || *extent > elements - offset) {
    Fail(where, " reaches outside of its storage of ", elements, " elements: it is ",
         Describe(tensor, offset));
  }
  if (*count > elements && *count > kLargestExpanded) {
    Fail(where, " is ", ShapeText(tensor.shape), ", expanded from a storage of ", elements, " elements");
  }
  const size_t size = ElementBytes(tensor.dtype);
  tensor.bytes = storage.subspan(static_cast<size_t>(offset) * size, static_cast<size_t>(*extent) * size);
}

}  // namespace

std::optional<TorchStorage> AsStorage(const PickleValue& value) {
  if (!value.is(Kind::kPersistent)) return std::nullopt;
  const PickleValue* tag = value.Argument(0);
  const PickleValue* type = value.Argument(1);
  const PickleValue* key = value.Argument(2);
  const PickleValue* elements = value.Argument(4);
  if (elements == nullptr || tag->text != "storage" || !key->is(Kind::kString) || !elements->is(Kind::kInt) ||
      elements->integer < 0) {
    return std::nullopt;
  }
  return TorchStorage{key->text, type->text, elements->integer};
}

size_t StorageElementBytes(std::string_view type) {
  for (const StorageType& known : kStorageTypes) {
    if (known.storage == type) return known.bytes;
  }
  return 0;
}

bool IsTensor(const PickleValue& value) {
  return value.is(Kind::kObject) && value.module.starts_with("torch") && value.text.starts_with("_rebuild_");
}

Tensor MakeTensor(const PickleValue& value, const FindStorage& find, const std::string& where) {
  const Rebuild call = Unwrap(value);
  for (const Refused& refused : kRefused) {
    if (call.function == refused.function) {
      Fail(where, " is ", refused.kind, "; save the state_dict of the plain float model");
    }
  }
  if (!call.function.starts_with("_rebuild_tensor")) {
    Fail(where, " is made by torch's ", call.function, ", which is not supported");
  }
  const auto storage = call.Argument(0) == nullptr ? std::nullopt : AsStorage(*call.Argument(0));
  if (!storage) Fail(where, " is damaged: it has no storage");
  const StorageType* type = FindType(call, *storage);
  if (type == nullptr || !type->ours) {
    const std::string_view dtype = call.Argument(6) != nullptr ? call.Argument(6)->text : storage->type;
    Fail(where, " holds ", type != nullptr ? type->dtype : dtype, " values, which are not supported");
  }
  Tensor tensor{*type->ours, Integers(call.Argument(2), where), Integers(call.Argument(3), where), {}};
  const std::span<const std::byte> bytes = find(*storage);
  const auto elements = static_cast<int64_t>(bytes.size() / type->bytes);
  Cut(tensor, bytes, Integer(call.Argument(1), where), elements, where);
  return tensor;
}

}  // namespace vitrine::checkpoint
