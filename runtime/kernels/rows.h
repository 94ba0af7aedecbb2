// SPDX-License-Identifier: Apache-2.0
// How the kernels see a matrix: rows of f32 or int8, contiguous, a stride apart; and what quantizes a row.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::kernels {

/// How the elements of a row are stored.
enum class RowType : uint8_t {
  kF32,
  kQd8,  ///< int8, quantized row by row while running
  kQs8,  ///< int8, one scale and zero point for all rows, known before
};

/// value = (q - zero_point) * scale. The layout is that of xnn_quantization_params.
struct RowQuantization {
  int32_t zero_point;
  float scale;
};

/// Where a kernel writes its rows: row r begins at element r * stride of `data`.
/// `quantization` is written by the kernel for kQd8 (one a row), read for kQs8 (one for
/// all), unused for kF32.
struct OutputRows {
  RowType type = RowType::kF32;
  void* data = nullptr;
  size_t stride = 0;
  RowQuantization* quantization = nullptr;
};

/// Returns the bytes of scratch that a row kernel needs for rows of `columns` elements: one f32 row, in whole
/// vectors. One a thread; any alignment of a float.
constexpr size_t RowScratchBytes(size_t columns) { return (columns + 15) / 16 * 16 * sizeof(float); }

/// How one row of f32 becomes int8: q = round(value * inverse_scale) + zero_point, saturated.
struct RowQuantizer {
  RowQuantization quantization;
  float inverse_scale;
};

/// Returns the quantizer of a row whose values lie in [min, max]: asymmetric, all of [-128, 127], zero exact.
/// It is XNNPACK's xnn_f32_qd8_asymmetric_quantization_params, except at the edges: the range is
/// computed without overflow, one under 1e-30 counts as a row of zeros (scale 1), and one that is not
/// finite gives a scale that is
/// not finite either, so that a NaN stays visible behind the next operator.
RowQuantizer QuantizerOf(float min, float max);

/// Returns the quantizer of a static scale (finite and above zero) and zero point in [-128, 127].
RowQuantizer QuantizerOf(const RowQuantization& fixed);

/// Writes `n` values as row `row` of `out`, of any type. NaN becomes the zero point.
void WriteRowReference(const float* values, size_t n, const OutputRows& out, size_t row);

}  // namespace vitrine::kernels
