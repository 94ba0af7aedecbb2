// SPDX-License-Identifier: Apache-2.0
// The relative position bias of attention in f32. Included after outer_product-inl.h, for every instruction
// set, so without an include guard.

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

/// Adds the bias of one head to scores [T, kCount vectors of queries from row `first` on], in units of
/// log2(e), and writes the largest score of each query. The index into the table is the sum of an index of
/// the query and one of the key. So the indices of the queries are computed once, and each key moves the
/// start of the table.
template <size_t kCount>
HWY_FLATTEN void AddPositionBias(const AttentionArguments& a, size_t head, size_t first, float* scores,
                                 float* max_out) {
  const size_t h = a.grid_height, w = a.grid_width, stride = 2 * w - 1, places = PositionBiasPlaces(h, w);
  const float* table = a.bias + head * places;
  int32_t place[kCount * kLanes];
  for (size_t q = 0; q < kCount * kLanes; ++q) {
    const size_t patch = first + q - 1;  // meaningless for the class token and for rows after the last
    const bool is_patch = first + q >= 1 && patch < h * w;
    place[q] = is_patch ? static_cast<int32_t>(patch / w * stride + patch % w) : 0;
  }
  VI index[kCount];
  VF max[kCount];
  Unroll<kCount>([&](auto v) HWY_ATTR {
    index[v] = hn::LoadU(kI32, place + v * kLanes);
    max[v] = hn::Set(kF32, hwy::LowestValue<float>());
  });
  const auto class_token = hn::FirstN(kF32, first == 0 ? 1 : 0);
  const VF log2e = hn::Set(kF32, kLog2E);
  for (size_t t = 0; t < a.T; ++t, scores += kCount * kLanes) {
    const size_t patch = t - 1;
    const float* moved = table + (t == 0 ? 0 : (h - 1 - patch / w) * stride + (w - 1 - patch % w));
    const VF of_class = hn::Set(kF32, table[places - (t == 0 ? 1 : 3)]),
             to_class = hn::Set(kF32, table[places - 2]);
    Unroll<kCount>([&](auto v) HWY_ATTR {
      VF bias = t == 0 ? to_class : hn::GatherIndex(kF32, moved, index[v]);
      if (v == 0) bias = hn::IfThenElse(class_token, of_class, bias);
      const VF score = hn::MulAdd(bias, log2e, hn::LoadU(kF32, scores + v * kLanes));
      hn::StoreU(score, kF32, scores + v * kLanes);
      max[v] = hn::Max(max[v], score);
    });
  }
  Unroll<kCount>([&](auto v) HWY_ATTR { hn::StoreU(max[v], kF32, max_out + v * kLanes); });
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
