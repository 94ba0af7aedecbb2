// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/segment.h"

#include <cstdlib>
#include <cstring>
#include <map>

#include "converter/error.h"
#include "converter/lower/layers.h"
#include "converter/lower/model_builder.h"

namespace vitrine {
namespace {

class MemoryStore final : public WeightStore {
 public:
  void Append(std::span<const uint8_t> bytes) override {
    this->bytes.insert(this->bytes.end(), bytes.begin(), bytes.end());
  }
  std::vector<uint8_t> bytes;
};

struct FreeBytes {
  void operator()(uint8_t* bytes) const { std::free(bytes); }
};

template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result.ok()) Fail("internal: a part of the model does not run: ", result.status().message());
  return std::move(result).value();
}

void LowerPart(const Vit& vit, int index, const Plan& plan, ModelBuilder* builder) {
  Lowering lowering(builder, vit.config, plan);
  const int depth = vit.config.depth;
  if (index == Segment::kWhole) {
    for (int i = 0; i <= depth + 1; ++i) LowerSegment(vit, i, plan, &lowering);
    return;
  }
  if (index > 0) lowering.AddTokensInput();
  LowerSegment(vit, index, plan, &lowering);
  if (index <= depth) lowering.AddTokensOutput();
}

}  // namespace

/// A model file in memory, aligned as a mapping would be.
class Segment::File {
 public:
  File(std::span<const uint8_t> metadata, std::span<const uint8_t> weights)
      : size_(metadata.size() + weights.size()), metadata_bytes_(metadata.size()) {
    bytes_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, size_)));
    if (bytes_ == nullptr) Fail("no memory for ", size_, " bytes of f32 weights");
    std::memcpy(bytes_.get(), metadata.data(), metadata.size());
    std::memcpy(bytes_.get() + metadata.size(), weights.data(), weights.size());
  }
  std::span<const uint8_t> bytes() const { return {bytes_.get(), size_}; }
  const uint8_t* weights() const { return bytes_.get() + metadata_bytes_; }

 private:
  std::unique_ptr<uint8_t, FreeBytes> bytes_;
  size_t size_, metadata_bytes_;
};

Segment::Segment(const Vit& vit, int index, const Plan& plan, int threads) {
  MemoryStore store;
  ModelBuilder builder(&store);
  LowerPart(vit, index, plan, &builder);
  file_ = std::make_unique<File>(builder.Metadata(), store.bytes);
  model_ = std::make_unique<Model>(ValueOrThrow(Model::FromBytes(file_->bytes())));
  session_ = std::make_unique<Session>(ValueOrThrow(Session::Create(*model_, {.thread_count = threads})));
  const auto name = [&](int tensor) { return builder.model.tensors[static_cast<size_t>(tensor)]->name; };
  std::map<int, Table> activated;  // by the tensor that the activation writes
  for (const auto& op : builder.model.operators) {
    if (const auto* linear = op->kind.AsLinear()) {
      const schema::ConstantT& weight = *builder.model.constants[static_cast<size_t>(linear->weight)];
      if (weight.type != schema::Type::F32) continue;
      const auto* values = reinterpret_cast<const float*>(file_->weights() + weight.offset);
      linears_.push_back({op->name, name(linear->input), weight.rows, weight.columns,
                          std::span(values, size_t{weight.rows} * weight.columns)});
      if (const auto found = activated.find(linear->input); found != activated.end())
        tables_.push_back(found->second);
    } else if (const auto* activate = op->kind.AsActivate(); activate != nullptr && !activate->gated) {
      activated[activate->output] = {name(activate->input), name(activate->output), activate->function};
    }
  }
}

Segment::~Segment() = default;

std::span<const float> Segment::Run(std::span<const uint8_t> input, const Observer& observer) {
  std::memcpy(session_->input().data(), input.data(), input.size());
  if (const Status status = session_->Run(observer); !status.ok()) Fail("internal: ", status.message());
  return session_->logits().empty() ? session_->embedding() : session_->logits();
}

void Segment::Read(int operator_index, std::vector<float>* values) const {
  const OperatorInfo& op = operators()[static_cast<size_t>(operator_index)];
  values->resize(static_cast<size_t>(op.rows * op.columns));
  if (const Status status = session_->ReadOutput(operator_index, *values); !status.ok())
    Fail("internal: ", status.message());
}

}  // namespace vitrine
