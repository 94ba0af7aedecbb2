// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/activation_rows.h"

#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

TEST_CASE("A table agrees with the reference for every byte and any length") {
  Generator generator(1);
  std::vector<int8_t> table(256);
  for (int8_t& entry : table) entry = static_cast<int8_t>(Uniform(generator, 0, 255));
  OnEveryTarget([&] {
    for (const size_t n : {1, 7, 15, 16, 17, 31, 33, 64, 65, 127, 128, 256, 1000, 1536}) {
      std::vector<int8_t> x(n);
      for (size_t i = 0; i < n; ++i) x[i] = static_cast<int8_t>(i * 37);
      Guarded<int8_t> in(x), out(n), expected(n);
      Guarded<int8_t> entries(table);
      TableBytes(in.data(), n, entries.data(), out.data());
      TableBytesReference(in.data(), n, entries.data(), expected.data());
      CHECK(std::memcmp(out.data(), expected.data(), n) == 0);
      TableBytes(in.data(), n, entries.data(), in.data());
      CHECK(std::memcmp(in.data(), expected.data(), n) == 0);
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
