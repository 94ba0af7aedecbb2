// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

/** What {@link Vitrine#attentionMap()} tells; the places are the values of vitrine_attention_map in vitrine.h. */
public enum AttentionMap {
  NONE,
  /** How much of the output comes from each patch (Abnar and Zuidema 2020). */
  ROLLOUT,
  /** What the class token attends to in the last block. */
  LAST_BLOCK
}
