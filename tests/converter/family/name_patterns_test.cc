// SPDX-License-Identifier: Apache-2.0
// The names that the families' tables give to the readers of checkpoints.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "converter/family/table.h"

namespace vitrine {
namespace {

using checkpoint::NamePatterns;

TEST_CASE("Takes the names before the blocks from all families that share a patch embedding") {
  const NamePatterns patterns = AllNamePatterns();
  const auto embedding = [&](const std::string& patch) {
    const auto found = std::find_if(patterns.embeddings.begin(), patterns.embeddings.end(),
                                    [&](const auto& candidate) { return candidate.patch == patch; });
    REQUIRE(found != patterns.embeddings.end());
    return std::vector<std::string>{found->class_token, found->distillation_token, found->registers,
                                    found->positions};
  };
  CHECK(embedding("patch_embed.proj") ==
        std::vector<std::string>{"cls_token", "dist_token", "reg_token", "pos_embed"});
  CHECK(embedding("embeddings.patch_embeddings.projection") ==
        std::vector<std::string>{"embeddings.cls_token", "embeddings.distillation_token",
                                 "embeddings.register_tokens", "embeddings.position_embeddings"});
  CHECK(
      embedding("embeddings.patch_embedding") ==
      std::vector<std::string>{"embeddings.class_embedding", "", "", "embeddings.position_embedding.weight"});
  CHECK(embedding("conv_proj") == std::vector<std::string>{"class_token", "", "", "encoder.pos_embedding"});
}

TEST_CASE("Takes query, key and value from the projection next to them") {
  const NamePatterns patterns = AllNamePatterns();
  const auto parts = [&](const std::string& projection) {
    const auto found =
        std::find_if(patterns.attentions.begin(), patterns.attentions.end(),
                     [&](const auto& candidate) { return candidate.projection == projection; });
    REQUIRE(found != patterns.attentions.end());
    return found->parts;
  };
  using Parts = std::array<std::string, 3>;
  CHECK(parts(".attn.proj") == Parts{".attn.qkv", "", ""});
  CHECK(parts(".attention.o_proj") == Parts{".attention.q_proj", ".attention.k_proj", ".attention.v_proj"});
  CHECK(parts(".attention.output.dense") ==
        Parts{".attention.attention.query", ".attention.attention.key", ".attention.attention.value"});
  CHECK(parts(".self_attn.out_proj") == Parts{".self_attn.q_proj", ".self_attn.k_proj", ".self_attn.v_proj"});
}

TEST_CASE("Takes layer scale, learnt queries, training heads and names without a dot") {
  const NamePatterns patterns = AllNamePatterns();
  const auto has_scale = [&](const char* module, const char* parameter) {
    return std::any_of(patterns.scales.begin(), patterns.scales.end(), [&](const auto& scale) {
      return scale.module == module && scale.parameter == parameter;
    });
  };
  CHECK(has_scale(".ls1", ".gamma"));
  CHECK(has_scale(".layer_scale2", ".lambda1"));
  REQUIRE(patterns.learnt_queries.size() == 1);
  CHECK(patterns.learnt_queries[0].weight == "head.attention.in_proj_weight");
  CHECK(patterns.learnt_queries[0].query == "head.probe");
  REQUIRE(patterns.training_heads.size() == 1);
  CHECK(patterns.training_heads[0].sign == "backbone.cls_token");
  CHECK(patterns.plain.contains("storage_tokens"));
  CHECK(!patterns.plain.contains("cls"));  // ONNX files have no Flax names
}

}  // namespace
}  // namespace vitrine
