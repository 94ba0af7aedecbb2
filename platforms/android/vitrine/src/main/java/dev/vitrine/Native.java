// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.nio.ByteBuffer;

/**
 * The functions of vitrine.h, implemented in platforms/android/jni. Handles are longs, and text is UTF-8. Buffers are
 * direct, and their data begins at their position. Failures throw {@link VitrineException}.
 */
final class Native {
  static {
    System.loadLibrary("vitrine_jni");
  }

  private Native() {}

  static native String version();

  static native String instructionSet();

  /** Returns the address of the buffer's memory, without its position. */
  static native long address(ByteBuffer buffer);

  static native long openFile(byte[] path);

  static native long openBytes(ByteBuffer bytes, int position, int size);

  static native void closeModel(long model);

  /** Returns the input's height and width, the grid's height and width, and the number of labels and of levels. */
  static native int[] describe(long model);

  /** Returns the family of the model, for example "deit". */
  static native byte[] family(long model);

  static native byte[] recipe(long model);

  static native byte[] label(long model, int index);

  static native long createSession(long model, int threads, byte[] packedWeights, boolean attentionMap);

  static native void closeSession(long session);

  static native void setLevel(long session, int level);

  static native void setAttentionMap(long session, int kind);

  static native void setFile(long session, byte[] path);

  static native void setJpeg(long session, byte[] jpeg);

  static native void setRgba(long session, ByteBuffer pixels, int width, int height, int strideBytes);

  /** Sets the input to a frame: its planes, their positions and limits, and {@link Frame#geometry()}. */
  static native void setFrame(
      long session, ByteBuffer y, ByteBuffer u, ByteBuffer v, int[] positions, int[] geometry);

  /** Writes the crop of the frame, rotated upright, to `out`: the planes Y, U and V one after another. */
  static native void turnFrame(
      ByteBuffer y, ByteBuffer u, ByteBuffer v, int[] positions, int[] geometry, int degrees, ByteBuffer out);

  static native void run(long session);

  /** Returns the logits of the last run, or null when the model has no classifier. */
  static native float[] logits(long session);

  static native float[] embedding(long session);

  static native float[] attentionMap(long session);

  /** Returns left, top, width and height in fractions of the picture. */
  static native float[] regionSeen(long session, int width, int height);

  /** Fills both arrays, the most probable class first, and returns the number of entries. */
  static native int top(long session, int[] indices, float[] probabilities);
}
