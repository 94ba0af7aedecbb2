// SPDX-License-Identifier: Apache-2.0
// The same function with fewer operations: constants move into the weights beside them.
// Pure functions on vit.h.
#pragma once

#include <span>

#include "converter/vit/vit.h"

namespace vitrine {

/// Folds a block, in place, so that it computes
///   x += projection(attention(qkv(norm1(x))));  x += fc2(activation(fc1(norm2(x))))
/// where attention is softmax(Q K^T) V without a scale, and layer scale is gone. What moved where:
///   norm1, norm2       into qkv and fc1, see FoldNorm
///   attention scale    into the query rows of qkv; with QK norm into query_norm's affine
///   key bias           dropped, softmax does not see it; stays with QK norm, rotary positions, token merging
///   value bias         into projection's bias: a softmax's rows sum to one; stays before an attention norm
///   attention norm     into projection
///   MLP norm           into fc2
///   scale1, scale2     into projection and fc2
/// The qkv bias stays in place with zeros for key and value, and is emptied when all of it is zero.
void FoldBlock(Block* block, const VitConfig& config, float share = 1.0f);

/// Folds what can be folded in a head without changing the embedding. Attention pooling: `norm` into
/// key_value, the attention scale (head_size^-0.5, whatever the blocks have) into `query`, key and value bias
/// as in FoldBlock, mlp_norm into fc1. With a pooler that reads the class token: `norm` into the pooler.
/// Otherwise `norm` stays, since its output is the embedding.
void FoldHead(Head* head, const VitConfig& config);

/// Moves the affine of `norm` into `linear`, which must be all that reads it:
///   columns *= sign(gamma) |gamma|^share,  bias += weight beta
/// The norm keeps |gamma|^(1 - share) and no beta. share = 1 leaves gamma and beta empty and the norm
/// `plain`; share = 0 moves beta alone. The share is SmoothQuant's migration strength (arXiv 2211.10438): it
/// moves outliers between activations and weights.
void FoldNorm(Norm* norm, LinearWeights* linear, float share = 1.0f);

/// Divides what `norm` gives, column by column, and multiplies the weights that read it (SmoothQuant, arXiv
/// 2211.10438). Nothing where there are no factors.
void SmoothNorm(Norm* norm, LinearWeights* linear, std::span<const float> factors);

/// The same for what the rows of `from` from `first` on give: `from` and the columns of
/// `to` take the factors.
void SmoothRows(LinearWeights* from, int first, LinearWeights* to, std::span<const float> factors);

/// Returns the patch embedding for pixels as they are: input (u8 - 128 - zero_point), columns in the order
/// (y, x, c). *zero_point becomes the whole number that puts the data set's mean pixel at zero, in [-128,
/// 127]. The normalisation (u8 / 255 - mean) / deviation is in the weights and the bias.
LinearWeights FoldPixels(const LinearWeights& patch, const ImageConfig& image, int patch_height,
                         int patch_width, int channels, int* zero_point);

}  // namespace vitrine
