// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.content.res.AssetFileDescriptor;
import android.graphics.RectF;
import dev.vitrine.AttentionMap;
import dev.vitrine.Frame;
import dev.vitrine.Guess;
import dev.vitrine.Options;
import dev.vitrine.Vitrine;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;

/** Runs the app's model. Settings may be changed from any thread; they apply from the next frame on. */
final class Looker implements AutoCloseable {
  private static final String ASSET = "model.vit";

  /** The result for one frame. */
  static final class Seen {
    final List<Guess> guesses;
    final double milliseconds;
    final float[] heatmap; // [rows, columns], or null
    final int rows;
    final int columns;
    final RectF region; // the part of the upright frame that the heatmap covers

    Seen(List<Guess> guesses, double milliseconds, float[] heatmap, int rows, int columns, RectF region) {
      this.guesses = guesses;
      this.milliseconds = milliseconds;
      this.heatmap = heatmap;
      this.rows = rows;
      this.columns = columns;
      this.region = region;
    }
  }

  private final MappedByteBuffer bytes;
  private final File packedWeights;
  private Vitrine vitrine;
  private int threads;

  /** Opens the model. Throws IOException when the app has no model. */
  Looker(Context context, int threads) throws IOException {
    try (AssetFileDescriptor asset = context.getAssets().openFd(ASSET);
        FileInputStream stream = asset.createInputStream()) {
      bytes = stream.getChannel().map(FileChannel.MapMode.READ_ONLY, asset.getStartOffset(), asset.getLength());
    }
    packedWeights = new File(context.getCacheDir(), ASSET + ".packed");
    this.threads = threads;
    open();
  }

  private void open() {
    vitrine = Vitrine.open(bytes, new Options().threads(threads).attentionMap(true).packedWeights(packedWeights));
  }

  synchronized int levelCount() {
    return vitrine.levelCount();
  }

  synchronized void setLevel(int level) {
    vitrine.setLevel(level);
  }

  /** Restarts the model with `count` threads. */
  synchronized void setThreads(int count, int level, boolean heatmap) {
    if (count == threads) return;
    vitrine.close();
    threads = count;
    open();
    vitrine.setLevel(level);
    showHeatmap(heatmap);
  }

  synchronized void showHeatmap(boolean show) {
    vitrine.setAttentionMap(show ? AttentionMap.ROLLOUT : AttentionMap.NONE);
  }

  synchronized Seen look(Frame frame) {
    long start = System.nanoTime();
    List<Guess> guesses = vitrine.classify(frame);
    double milliseconds = (System.nanoTime() - start) / 1e6;
    RectF region = vitrine.regionSeen(frame.uprightWidth(), frame.uprightHeight());
    return new Seen(
        guesses, milliseconds, vitrine.attentionMap(), vitrine.gridHeight(), vitrine.gridWidth(), region);
  }

  @Override
  public synchronized void close() {
    vitrine.close();
  }
}
