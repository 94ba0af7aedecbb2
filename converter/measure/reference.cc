// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/reference.h"

#include <span>

namespace vitrine {
namespace {

/// Hands each operator of a run to a follower.
struct Following {
  const Segment& segment;
  const Reference::Follower& follower;
  size_t image;

  static void After(void* context, int index) {
    const Following& following = *static_cast<Following*>(context);
    following.follower(following.segment, following.image, index);
  }
};

std::span<const uint8_t> BytesOf(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace

Reference::Reference(const Vit& vit, std::vector<std::vector<uint8_t>> inputs, int threads, const Plan& plan)
    : vit_(vit), threads_(threads), plan_(plan), inputs_(std::move(inputs)), values_(inputs_.size()) {}

void Reference::Advance(const Follower& follower) {
  Segment segment(vit_, segment_, plan_, threads_);
  first_image_.clear();
  const Follower capture = [&](const Segment&, size_t, int index) {
    segment.Read(index, &first_image_[segment.operators()[static_cast<size_t>(index)].name]);
  };
  for (size_t i = 0; i < values_.size(); ++i) {
    const std::span<const uint8_t> input =
        segment_ == 0 ? std::span<const uint8_t>(inputs_[i]) : BytesOf(values_[i]);
    Following following{segment, follower ? follower : capture, i};
    const bool follows = follower || i == 0;
    const std::span<const float> output =
        segment.Run(input, follows ? Observer{Following::After, &following} : Observer{});
    values_[i].assign(output.begin(), output.end());
  }
  if (segment_ == 0) inputs_.clear();
  ++segment_;
}

}  // namespace vitrine
