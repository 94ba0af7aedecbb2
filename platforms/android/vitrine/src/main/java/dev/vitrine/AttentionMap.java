// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

/** The kinds of attention map. Their ordinals are the values of vitrine_attention_map in vitrine.h. */
public enum AttentionMap {
  NONE,
  /** How much each patch contributes to the output (Abnar and Zuidema 2020). */
  ROLLOUT,
  /** The attention of the class token in the last block. */
  LAST_BLOCK
}
