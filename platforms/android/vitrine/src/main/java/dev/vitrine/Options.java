// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.io.File;

/** Options of {@link Vitrine#open}. Each setter returns this object. */
public final class Options {
  int threads = 0;
  int topK = 5;
  boolean attentionMap = false;
  File packedWeights = null;

  /** Sets the number of threads, including the caller's. 0 (the default) means one for each CPU core it may run on. */
  public Options threads(int count) {
    threads = count;
    return this;
  }

  /** Sets the largest number of classes that classify() returns. The default is 5. */
  public Options topK(int count) {
    topK = count;
    return this;
  }

  /** Reserves the memory for {@link Vitrine#setAttentionMap}. */
  public Options attentionMap(boolean reserve) {
    attentionMap = reserve;
    return this;
  }

  /** Sets a cache file for packed weights, which makes later starts faster; for example in Context.getCacheDir(). */
  public Options packedWeights(File file) {
    packedWeights = file;
    return this;
  }
}
