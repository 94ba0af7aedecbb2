// SPDX-License-Identifier: Apache-2.0
// The C interface: models and thread pools. It checks handles, sizes and pointers and calls the C++ classes.
#include "runtime/c/calls.h"

namespace vitrine {
namespace {

/// Sizes of the caller's structures in version 1.0: up to the end of their last member. A caller compiled
/// with that version does not have the members after it, which then count as 0.
constexpr size_t kModelInfo10 = offsetof(vitrine_model_info, agreement) + sizeof(float);
constexpr size_t kOperatorInfo10 = offsetof(vitrine_operator_info, macs) + sizeof(int64_t);

vitrine_status AddModel(Result<Model> opened, vitrine_model* model) {
  if (!opened.ok()) return Fail(opened.status());
  *model = AllTables().models.Add(std::make_shared<Model>(std::move(opened).value()));
  return *model != nullptr ? VITRINE_OK : Refuse("too many models are open");
}

}  // namespace
}  // namespace vitrine

using vitrine::AllTables;
using vitrine::Refuse;

vitrine_status vitrine_model_open(const char* path, vitrine_model* model) {
  if (model == nullptr) return Refuse("model is null");
  *model = nullptr;
  if (path == nullptr) return Refuse("path is null");
  return vitrine::AddModel(vitrine::Model::Open(path), model);
}

vitrine_status vitrine_model_from_bytes(const void* bytes, size_t size, vitrine_model* model) {
  if (model == nullptr) return Refuse("model is null");
  *model = nullptr;
  if (bytes == nullptr) return Refuse("bytes is null");
  return vitrine::AddModel(vitrine::Model::FromBytes({static_cast<const uint8_t*>(bytes), size}), model);
}

vitrine_status vitrine_model_close(vitrine_model model) {
  return AllTables().models.Remove(model) != nullptr ? VITRINE_OK : Refuse("the model is not open");
}

vitrine_status vitrine_model_describe(vitrine_model handle, vitrine_model_info* info) {
  if (!vitrine::IsKnown(info, vitrine::kModelInfo10))
    return Refuse("info is null, or its struct_size is not set");
  const auto model = AllTables().models.Find(handle);
  if (model == nullptr) return Refuse("the model is not open");
  const vitrine::ModelInfo& from = model->info();
  const vitrine::Grid grid = from.grid;
  return vitrine::WriteStruct(info, {.struct_size = sizeof *info,
                                     .format_major = from.format_major,
                                     .format_minor = from.format_minor,
                                     .family = from.family.empty() ? "" : from.family.data(),
                                     .recipe = from.recipe.empty() ? "" : from.recipe.data(),
                                     .image_height = from.image_height,
                                     .image_width = from.image_width,
                                     .image_channels = from.image_channels,
                                     .grid_height = grid.height,
                                     .grid_width = grid.width,
                                     .tokens = from.tokens,
                                     .macs = from.macs,
                                     .parameters = from.parameters,
                                     .file_bytes = from.file_bytes,
                                     .label_count = model->label_count(),
                                     .level_count = static_cast<int>(model->levels().size()),
                                     .operator_count = static_cast<int>(model->operators().size()),
                                     .sqnr_db = from.sqnr_db,
                                     .agreement = from.agreement});
}

const char* vitrine_model_label(vitrine_model handle, int index) {
  const auto model = AllTables().models.Find(handle);
  return model == nullptr ? "" : model->label(index);
}

vitrine_status vitrine_model_operator(vitrine_model handle, int level, int index,
                                      vitrine_operator_info* info) {
  if (!vitrine::IsKnown(info, vitrine::kOperatorInfo10))
    return Refuse("info is null, or its struct_size is not set");
  const auto model = AllTables().models.Find(handle);
  if (model == nullptr) return Refuse("the model is not open");
  if (level < 0 || static_cast<size_t>(level) >= model->levels().size())
    return Refuse("there is no such level");
  const auto operators = model->levels()[static_cast<size_t>(level)].operators;
  if (index < 0 || static_cast<size_t>(index) >= operators.size()) return Refuse("there is no such operator");
  const vitrine::OperatorInfo& from = operators[static_cast<size_t>(index)];
  return vitrine::WriteStruct(info, {.struct_size = sizeof *info,
                                     .name = from.name,
                                     .kind = from.kind,
                                     .type = from.type,
                                     .rows = from.rows,
                                     .columns = from.columns,
                                     .macs = from.macs});
}

vitrine_status vitrine_pool_create(int threads, vitrine_pool* pool) {
  if (pool == nullptr) return Refuse("pool is null");
  *pool = nullptr;
  vitrine::Result<vitrine::ThreadPool> created = vitrine::ThreadPool::Create(threads);
  if (!created.ok()) return vitrine::Fail(created.status());
  *pool = AllTables().pools.Add(std::make_shared<vitrine::ThreadPool>(std::move(created).value()));
  return *pool != nullptr ? VITRINE_OK : Refuse("too many pools are open");
}

vitrine_status vitrine_pool_close(vitrine_pool pool) {
  return AllTables().pools.Remove(pool) != nullptr ? VITRINE_OK : Refuse("the pool is not open");
}
