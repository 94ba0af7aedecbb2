// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.io.File;

/** How {@link Vitrine#open} sets a session up. Each setter returns this. */
public final class Options {
  int threads = 0;
  int topK = 5;
  boolean attentionMap = false;
  File packedWeights = null;

  /** Threads that compute, the caller's included; 0, the default: as many as processors that the caller may run on. */
  public Options threads(int count) {
    threads = count;
    return this;
  }

  /** How many classes classify() returns at most, 5 unless told. */
  public Options topK(int count) {
    topK = count;
    return this;
  }

  /** Reserves what {@link Vitrine#setAttentionMap} needs. */
  public Options attentionMap(boolean reserve) {
    attentionMap = reserve;
    return this;
  }

  /** Keeps packed weights in a file between starts, which makes them faster: in Context.getCacheDir(), say. */
  public Options packedWeights(File file) {
    packedWeights = file;
    return this;
  }
}
