// SPDX-License-Identifier: Apache-2.0
#include "converter/reference.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vitrine/vitrine.hpp>

#include "converter/error.h"
#include "converter/layers.h"
#include "converter/model_builder.h"

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

/// A model in memory, aligned as a mapping would be.
struct FileInMemory {
  std::unique_ptr<uint8_t, FreeBytes> bytes;
  size_t size = 0;

  static FileInMemory Of(std::span<const uint8_t> metadata, std::span<const uint8_t> weights) {
    FileInMemory file;
    file.size = metadata.size() + weights.size();
    file.bytes.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, file.size)));
    if (file.bytes == nullptr) Fail("no memory for ", file.size, " bytes of f32 weights");
    std::memcpy(file.bytes.get(), metadata.data(), metadata.size());
    std::memcpy(file.bytes.get() + metadata.size(), weights.data(), weights.size());
    return file;
  }
};

FileInMemory BuildSegment(const Vit& vit, int segment) {
  MemoryStore store;
  ModelBuilder builder(&store);
  Lowering lowering(&builder, vit.config, Recipe::kF32);
  if (segment == 0) {
    LowerEmbedding(vit, &lowering);
    lowering.AddTokensOutput();
  } else {
    lowering.AddTokensInput();
    if (segment <= vit.config.depth) {
      LowerBlock(vit, segment - 1, &lowering);
      lowering.AddTokensOutput();
    } else {
      LowerHead(vit, &lowering);
    }
  }
  return FileInMemory::Of(builder.Metadata(), store.bytes);
}

template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result.ok()) Fail("internal: the f32 reference does not run: ", result.status().message());
  return std::move(result).value();
}

struct Capture {
  const Model& model;
  const Session& session;
  std::map<std::string, std::vector<float>>& outputs;

  static void After(void* context, int index) {
    Capture& capture = *static_cast<Capture*>(context);
    const OperatorInfo& op = capture.model.operators()[static_cast<size_t>(index)];
    std::vector<float>& values = capture.outputs[op.name];
    values.resize(static_cast<size_t>(op.rows * op.columns));
    if (const Status status = capture.session.ReadOutput(index, values); !status.ok())
      Fail("internal: ", status.message());
  }
};

}  // namespace

Reference::Reference(const Vit& vit, std::vector<std::vector<uint8_t>> inputs, int threads)
    : vit_(vit), threads_(threads), inputs_(std::move(inputs)), values_(inputs_.size()) {}

void Reference::Advance() {
  const FileInMemory file = BuildSegment(vit_, segment_);
  const Model model = ValueOrThrow(Model::FromBytes({file.bytes.get(), file.size}));
  Session session = ValueOrThrow(Session::Create(model, {.thread_count = threads_}));
  first_image_.clear();
  Capture capture{model, session, first_image_};
  for (size_t i = 0; i < values_.size(); ++i) {
    const std::span<uint8_t> input = session.input();
    const void* source = segment_ == 0 ? static_cast<const void*>(inputs_[i].data()) : values_[i].data();
    std::memcpy(input.data(), source, input.size());
    const Status status = session.Run(i == 0 ? Observer{Capture::After, &capture} : Observer{});
    if (!status.ok()) Fail("internal: ", status.message());
    const std::span<const float> output = session.logits().empty() ? session.embedding() : session.logits();
    values_[i].assign(output.begin(), output.end());
  }
  if (segment_ == 0) inputs_.clear();
  ++segment_;
}

}  // namespace vitrine
