// SPDX-License-Identifier: Apache-2.0
// The matrices of the kernels: rows of f32 or int8, a stride apart; and the quantization of a row.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::kernels {

/// How the elements of a row are stored.
enum class RowType : uint8_t {
  kF32,
  kQd8,  ///< int8, a scale and zero point per row, found at run time
  kQs8,  ///< int8, one scale and zero point for all rows, known before the run
};

/// value = (q - zero_point) * scale. It has the layout of xnn_quantization_params.
struct RowQuantization {
  int32_t zero_point;
  float scale;
};

/// The output of a kernel: row r begins at element r * stride of `data`. The kernel writes `quantization` for
/// kQd8 (one per row), reads it for kQs8 (one for all rows), and ignores it for kF32.
struct OutputRows {
  RowType type = RowType::kF32;
  void* data = nullptr;
  size_t stride = 0;
  RowQuantization* quantization = nullptr;
};

/// Returns the bytes of scratch memory that a thread needs in a row kernel with `columns` columns: one f32
/// row, rounded up to whole vectors. Align to 4.
constexpr size_t RowScratchBytes(size_t columns) { return (columns + 15) / 16 * 16 * sizeof(float); }

/// The quantization of one row of f32 to int8: q = round(value * inverse_scale) + zero_point, saturated.
struct RowQuantizer {
  RowQuantization quantization;
  float inverse_scale;
};

/// Returns the quantizer of a row with values in [min, max]: asymmetric, with all of [-128, 127] in use and
/// zero exact. It equals XNNPACK's xnn_f32_qd8_asymmetric_quantization_params except at the limits: the range
/// cannot overflow, a range under 1e-30 counts as a row of zeros (scale 1), and a range that is not finite
/// gives a scale that is not finite, so that a NaN is still visible after the next operator.
RowQuantizer QuantizerOf(float min, float max);

/// Returns the quantizer of a static scale (finite and positive) and a zero point in [-128, 127].
RowQuantizer QuantizerOf(const RowQuantization& fixed);

/// Writes n values to row `row` of `out`, of any type, for the plain references. NaN becomes the zero point.
void WriteRowReference(const float* values, size_t n, const OutputRows& out, size_t row);

}  // namespace vitrine::kernels
