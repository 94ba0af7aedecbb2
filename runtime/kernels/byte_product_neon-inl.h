// SPDX-License-Identifier: Apache-2.0
// Products of bytes for plain NEON: a block of a few rows by 4 columns in registers. 16 products take two
// multiplications and one addition in 32 bits. The second multiplication adds to the first in 16 bits, where
// two products of [-127, 127] and [-128, 127] fit. That is 5.3 products per instruction, 4.6 with the loads.
// Included by byte_product-inl.h.
#include <arm_neon.h>

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

#if HWY_ARCH_ARM_A64

constexpr size_t kBlock = 4;

// clang-format off
// Four rows by one column. Each instruction is repeated for the four rows, so that none waits for the one
// before it.
#define VITRINE_MULTIPLY_COLUMN(column, sum0, sum1, sum2, sum3) \
  "smull v6.8h, v0.8b, " column ".8b\n"                        \
  "smull v7.8h, v1.8b, " column ".8b\n"                        \
  "smull v8.8h, v2.8b, " column ".8b\n"                        \
  "smull v9.8h, v3.8b, " column ".8b\n"                        \
  "smlal2 v6.8h, v0.16b, " column ".16b\n"                     \
  "smlal2 v7.8h, v1.16b, " column ".16b\n"                     \
  "smlal2 v8.8h, v2.16b, " column ".16b\n"                     \
  "smlal2 v9.8h, v3.16b, " column ".16b\n"                     \
  "sadalp " sum0 ".4s, v6.8h\n"                                \
  "sadalp " sum1 ".4s, v7.8h\n"                                \
  "sadalp " sum2 ".4s, v8.8h\n"                                \
  "sadalp " sum3 ".4s, v9.8h\n"

/// Writes the products of kBlock rows and 4 columns, over `groups` >= 1 groups; rows of the output are
/// `out_step` bytes apart. It is assembly, because GCC needs 60 instructions per step instead of 56, and
/// spills registers when the instructions are interleaved.
HWY_NOINLINE void MultiplyBlock(const uint8_t* rows, size_t row_step, const uint8_t* columns, size_t column_step,
                                size_t groups, int32_t* out, size_t out_step) {
  asm volatile(
      "movi v16.4s, #0\n movi v17.4s, #0\n movi v18.4s, #0\n movi v19.4s, #0\n"
      "movi v20.4s, #0\n movi v21.4s, #0\n movi v22.4s, #0\n movi v23.4s, #0\n"
      "movi v24.4s, #0\n movi v25.4s, #0\n movi v26.4s, #0\n movi v27.4s, #0\n"
      "movi v28.4s, #0\n movi v29.4s, #0\n movi v30.4s, #0\n movi v31.4s, #0\n"
      "1:\n"
      "ldp q0, q1, [%[rows]]\n"
      "ldp q4, q5, [%[columns]]\n"
      "ldp q2, q3, [%[rows], #32]\n"
      "add %[rows], %[rows], %[row_step]\n"
      VITRINE_MULTIPLY_COLUMN("v4", "v16", "v17", "v18", "v19")
      VITRINE_MULTIPLY_COLUMN("v5", "v20", "v21", "v22", "v23")
      "ldp q4, q5, [%[columns], #32]\n"
      "add %[columns], %[columns], %[column_step]\n"
      "subs %[groups], %[groups], #1\n"
      VITRINE_MULTIPLY_COLUMN("v4", "v24", "v25", "v26", "v27")
      VITRINE_MULTIPLY_COLUMN("v5", "v28", "v29", "v30", "v31")
      "b.ne 1b\n"
      "addp v16.4s, v16.4s, v20.4s\n addp v24.4s, v24.4s, v28.4s\n addp v16.4s, v16.4s, v24.4s\n"
      "addp v17.4s, v17.4s, v21.4s\n addp v25.4s, v25.4s, v29.4s\n addp v17.4s, v17.4s, v25.4s\n"
      "addp v18.4s, v18.4s, v22.4s\n addp v26.4s, v26.4s, v30.4s\n addp v18.4s, v18.4s, v26.4s\n"
      "addp v19.4s, v19.4s, v23.4s\n addp v27.4s, v27.4s, v31.4s\n addp v19.4s, v19.4s, v27.4s\n"
      "str q16, [%[out]]\n add %[out], %[out], %[out_step]\n"
      "str q17, [%[out]]\n add %[out], %[out], %[out_step]\n"
      "str q18, [%[out]]\n add %[out], %[out], %[out_step]\n"
      "str q19, [%[out]]\n"
      : [rows] "+r"(rows), [columns] "+r"(columns), [groups] "+r"(groups), [out] "+r"(out)
      : [row_step] "r"(row_step), [column_step] "r"(column_step), [out_step] "r"(out_step)
      : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v16", "v17", "v18", "v19", "v20",
        "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}
#undef VITRINE_MULTIPLY_COLUMN
// clang-format on

#else

constexpr size_t kBlock = 2;

/// Returns the sum of the lanes of each of four vectors.
HWY_INLINE int32x4_t SumsOfLanes(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
  const int32x2_t ab =
      vpadd_s32(vadd_s32(vget_low_s32(a), vget_high_s32(a)), vadd_s32(vget_low_s32(b), vget_high_s32(b)));
  const int32x2_t cd =
      vpadd_s32(vadd_s32(vget_low_s32(c), vget_high_s32(c)), vadd_s32(vget_low_s32(d), vget_high_s32(d)));
  return vcombine_s32(ab, cd);
}

/// Writes the products of kBlock rows and 4 columns; rows of the output are `out_step` bytes apart.
HWY_NOINLINE void MultiplyBlock(const uint8_t* rows, size_t row_step, const uint8_t* columns,
                                size_t column_step, size_t groups, int32_t* out, size_t out_step) {
  int32x4_t sum[kBlock][4];
  Unroll<kBlock * 4>([&](auto i) HWY_ATTR { sum[i / 4][i % 4] = vdupq_n_s32(0); });
  for (; groups != 0; --groups, rows += row_step, columns += column_step) {
    int8x16_t row[kBlock];
    Unroll<kBlock>([&](auto j) HWY_ATTR { row[j] = vreinterpretq_s8_u8(vld1q_u8(rows + j * 16)); });
    Unroll<4>([&](auto k) HWY_ATTR {
      const int8x16_t column = vreinterpretq_s8_u8(vld1q_u8(columns + k * 16));
      Unroll<kBlock>([&](auto j) HWY_ATTR {
        const int16x8_t low = vmull_s8(vget_low_s8(row[j]), vget_low_s8(column));
        sum[j][k] = vpadalq_s16(sum[j][k], vmlal_s8(low, vget_high_s8(row[j]), vget_high_s8(column)));
      });
    });
  }
  Unroll<kBlock>([&](auto j) HWY_ATTR {
    vst1q_s32(out + j * out_step / sizeof(int32_t), SumsOfLanes(sum[j][0], sum[j][1], sum[j][2], sum[j][3]));
  });
}

#endif

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
