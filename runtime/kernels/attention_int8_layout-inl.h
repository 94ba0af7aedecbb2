// SPDX-License-Identifier: Apache-2.0
// The memory of int8 attention: packed heads, and a thread's scratch memory. Sizes are those of the widest
// vectors, so that they are the same on all CPUs. Included after rows-inl.h, for every instruction set, so
// without an include guard.

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

constexpr size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

constexpr size_t kKeyPanel = 8;

/// One head's packed keys and values, in the groups of byte_product-inl.h.
struct PackedHead {
  int32_t* keys;          // [T / 8] panels of [K / kGroup, 8] groups
  int32_t* values;        // [T / kGroup, K] groups
  float* key_scale;       // [T]
  int16_t* key_fraction;  // [T] scale / largest scale, 15 bits
  float* largest_key_scale;
  float* size_log2;     // [T], zeros after the last key
  float* value_scale;   // [K]
  float* value_offset;  // [K]

  static size_t StrideBytes(size_t T, size_t K) {
    const size_t t = RoundUp(T, 16), k = RoundUp(K, 16);
    return RoundUp(
        2 * t * k + t * (2 * sizeof(float) + sizeof(int16_t)) + 2 * k * sizeof(float) + sizeof(float), 64);
  }
  PackedHead(void* packed, size_t head, size_t T, size_t K) {
    const size_t t = RoundUp(T, 16), k = RoundUp(K, 16);
    char* p = static_cast<char*>(packed) + head * StrideBytes(T, K);
    keys = reinterpret_cast<int32_t*>(p), p += t * k;
    values = reinterpret_cast<int32_t*>(p), p += t * k;
    value_scale = reinterpret_cast<float*>(p), p += k * sizeof(float);
    value_offset = reinterpret_cast<float*>(p), p += k * sizeof(float);
    key_scale = reinterpret_cast<float*>(p), p += t * sizeof(float);
    size_log2 = reinterpret_cast<float*>(p), p += t * sizeof(float);
    key_fraction = reinterpret_cast<int16_t*>(p), p += t * sizeof(int16_t);
    largest_key_scale = reinterpret_cast<float*>(p);
  }
};

/// The scratch memory of a thread.
struct Int8Scratch {
  float* output;    // [16, H * K], when the output is quantized
  int8_t* bytes;    // [16, K] quantized rows
  int32_t* query;   // [K / kGroup, queries] groups
  int32_t* scores;  // [T, queries], then probabilities, [T / kGroup, queries] groups
  float* mean;      // [K]

  static size_t Bytes(size_t T, size_t H, size_t K) {
    const size_t k = RoundUp(K, 16), rows = kAttentionTileRows;
    return rows * (H * K * sizeof(float) + 2 * k + RoundUp(T, 16) * sizeof(int32_t)) + k * sizeof(float);
  }
  Int8Scratch(void* scratch, size_t T, size_t K) {
    const size_t k = RoundUp(K, 16), rows = kAttentionTileRows;
    char* p = static_cast<char*>(scratch);
    scores = reinterpret_cast<int32_t*>(p), p += rows * RoundUp(T, 16) * sizeof(int32_t);
    query = reinterpret_cast<int32_t*>(p), p += rows * k;
    bytes = reinterpret_cast<int8_t*>(p), p += rows * k;
    mean = reinterpret_cast<float*>(p), p += k * sizeof(float);
    output = reinterpret_cast<float*>(p);
  }
};

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
