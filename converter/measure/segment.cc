// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/segment.h"

#include <cstdlib>
#include <cstring>
#include <exception>

#include "converter/error.h"
#include "converter/lower/lower.h"
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

struct FreeAligned {
  void operator()(uint8_t* bytes) const { std::free(bytes); }
};

template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result.ok()) Fail("internal: a part of the model does not run: ", result.status().message());
  return std::move(result).value();
}

void LowerPart(const Vit& vit, int index, const Plan& plan, Lowering* lowering) {
  const int depth = vit.config.depth;
  if (index == Segment::kWhole) {
    for (int i = 0; i <= depth + 1; ++i) LowerSegment(vit, i, plan, lowering);
    return;
  }
  if (index > 0) lowering->AddTokensInput();
  LowerSegment(vit, index, plan, lowering);
  if (index <= depth) lowering->AddTokensOutput();
}

/// Calls a function after each operator until it throws.
struct Following {
  const std::function<void(int)>& after;
  std::exception_ptr failure;

  static void After(void* context, int index) {
    Following& following = *static_cast<Following*>(context);
    if (following.failure) return;
    try {
      following.after(index);
    } catch (...) {
      following.failure = std::current_exception();
    }
  }
};

std::span<const uint8_t> BytesOf(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace

Status RunSession(Session* session, const std::function<void(int)>& after) {
  if (!after) return session->Run();
  Following following{after, nullptr};
  const Status status = session->Run({Following::After, &following});
  if (following.failure) std::rethrow_exception(following.failure);
  return status;
}

/// A model file in memory, aligned like a mapping.
class Segment::File {
 public:
  File(std::span<const uint8_t> metadata, std::span<const uint8_t> weights)
      : size_(metadata.size() + weights.size()), metadata_bytes_(metadata.size()) {
    bytes_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, size_)));
    if (bytes_ == nullptr) Fail("not enough memory for ", size_, " bytes of f32 weights");
    std::memcpy(bytes_.get(), metadata.data(), metadata.size());
    std::memcpy(bytes_.get() + metadata.size(), weights.data(), weights.size());
  }
  std::span<const uint8_t> bytes() const { return {bytes_.get(), size_}; }
  const uint8_t* weights() const { return bytes_.get() + metadata_bytes_; }

 private:
  std::unique_ptr<uint8_t, FreeAligned> bytes_;
  size_t size_, metadata_bytes_;
};

Segment::Segment(const Vit& vit, int index, const Plan& plan, int threads) {
  MemoryStore store;
  ModelBuilder builder(&store);
  Lowering lowering(&builder, vit.config, plan);
  LowerPart(vit, index, plan, &lowering);
  file_ = std::make_unique<File>(builder.Metadata(), store.bytes);
  model_ = std::make_unique<Model>(ValueOrThrow(Model::FromBytes(file_->bytes())));
  session_ = std::make_unique<Session>(ValueOrThrow(Session::Create(*model_, {.thread_count = threads})));
  layers_ = lowering.operators();
  const auto layer_of = [&](int tensor) { return lowering.tensors()[static_cast<size_t>(tensor)]; };
  std::map<int, Table> activated;  // by the tensor that the activation writes
  for (size_t i = 0; i < layers_.size(); ++i) {
    schema::KindUnion& kind = builder.model.operators[i]->kind;
    if (const auto* linear = kind.AsLinear()) {
      const schema::ConstantT& weight = *builder.model.constants[static_cast<size_t>(linear->weight)];
      if (weight.type != schema::Type::F32) continue;
      const auto* values = reinterpret_cast<const float*>(file_->weights() + weight.offset);
      linears_.push_back({layers_[i], layer_of(linear->input), weight.rows, weight.columns,
                          std::span(values, size_t{weight.rows} * weight.columns)});
      if (const auto found = activated.find(linear->input); found != activated.end())
        tables_.push_back(found->second);
    } else if (const auto* activate = kind.AsActivate(); activate != nullptr && !activate->gated) {
      activated[activate->output] = {layer_of(activate->input), layer_of(activate->output),
                                     activate->function};
    }
  }
}

Segment::~Segment() = default;

std::span<const float> Segment::Run(std::span<const uint8_t> input, const std::function<void(int)>& after) {
  std::memcpy(session_->input().data(), input.data(), input.size());
  if (const Status status = RunSession(session_.get(), after); !status.ok())
    Fail("internal: ", status.message());
  return session_->logits().empty() ? session_->embedding() : session_->logits();
}

void Segment::Read(int operator_index, std::vector<float>* values) const {
  const OperatorInfo& op = operators()[static_cast<size_t>(operator_index)];
  values->resize(static_cast<size_t>(op.rows * op.columns));
  if (const Status status = session_->ReadOutput(operator_index, *values); !status.ok())
    Fail("internal: ", status.message());
}

Reference::Reference(const Vit& vit, std::vector<std::vector<uint8_t>> inputs, int threads, const Plan& plan)
    : vit_(vit), threads_(threads), plan_(plan), inputs_(std::move(inputs)), values_(inputs_.size()) {}

void Reference::Advance(const Follower& follower) {
  Segment segment(vit_, segment_, plan_, threads_);
  first_image_.clear();
  for (size_t i = 0; i < values_.size(); ++i) {
    std::function<void(int)> after;
    if (follower) {
      after = [&](int index) { follower(segment, i, index); };
    } else if (i == 0) {
      after = [&](int index) { segment.Read(index, &first_image_[segment.layer(index)]); };
    }
    const std::span<const float> output =
        segment.Run(segment_ == 0 ? std::span<const uint8_t>(inputs_[i]) : BytesOf(values_[i]), after);
    values_[i].assign(output.begin(), output.end());
  }
  if (segment_ == 0) inputs_.clear();
  ++segment_;
}

}  // namespace vitrine
