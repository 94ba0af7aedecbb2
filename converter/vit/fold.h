// SPDX-License-Identifier: Apache-2.0
// Folding: the same function with fewer operations, because constants move into neighbouring weights. Pure
// functions on vit.h.
#pragma once

#include <span>

#include "converter/vit/vit.h"

namespace vitrine {

/// Folds a block, in place, so that it computes
///   x += projection(attention(qkv(norm1(x))));  x += fc2(activation(fc1(norm2(x))))
/// where attention is softmax(Q K^T) V without a scale, and without layer scale. The parts move as follows:
///   norm1, norm2       into qkv and fc1, see FoldNorm
///   attention scale    into the query rows of qkv; with QK norm into query_norm's affine
///   key bias           removed: it does not change the softmax; stays with QK norm, rotary positions and
///                      token merging
///   value bias         into projection's bias: the softmax's rows sum to one; stays before an attention norm
///   attention norm     into projection
///   MLP norm           into fc2
///   scale1, scale2     into projection and fc2
/// The qkv bias keeps its size, with zeros for key and value; it becomes empty when all of it is zero.
void FoldBlock(Block* block, const VitConfig& config, float share = 1.0f);

/// Folds a head in place without changing the embedding. Attention pooling: `norm` into
/// key_value, the attention scale (always head_size^-0.5) into `query`, key and value bias
/// as in FoldBlock, mlp_norm into fc1. With a pooler that reads the class token: `norm` into the pooler.
/// Otherwise `norm` stays, because its output is the embedding.
void FoldHead(Head* head, const VitConfig& config);

/// Moves the affine of `norm` into `linear`, which must be its only reader:
///   columns *= sign(gamma) |gamma|^share,  bias += weight beta
/// The norm keeps |gamma|^(1 - share) and no beta. share = 1 leaves gamma and beta empty and the norm
/// `plain`; share = 0 moves beta alone. The share is SmoothQuant's migration strength (arXiv 2211.10438): it
/// moves outliers between activations and weights.
void FoldNorm(Norm* norm, LinearWeights* linear, float share = 1.0f);

/// Divides the columns of the norm's output by `factors` and multiplies the weights that read them
/// (SmoothQuant, arXiv 2211.10438). Does nothing without factors.
void SmoothNorm(Norm* norm, LinearWeights* linear, std::span<const float> factors);

/// Divides the rows of `from` beginning with row `first` by `factors`, and multiplies the columns of `to`,
/// which reads them.
void SmoothRows(LinearWeights* from, int first, LinearWeights* to, std::span<const float> factors);

/// Returns the patch embedding for unchanged pixels: input (u8 - 128 - zero_point), columns in the order (y,
/// x, c).
/// *zero_point becomes the integer in [-128, 127] that makes the data set's mean pixel zero. Weights and bias
/// include the normalisation (u8 / 255 - mean) / deviation.
LinearWeights FoldPixels(const LinearWeights& patch, const ImageConfig& image, int patch_height,
                         int patch_width, int channels, int* zero_point);

}  // namespace vitrine
