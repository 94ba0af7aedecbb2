// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.nio.ByteBuffer;

/**
 * The functions of vitrine.h, which platforms/android/jni implements. Handles are longs; text is UTF-8; buffers are
 * direct and begin at their position. Failures are thrown as {@link VitrineException}.
 */
final class Native {
  static {
    System.loadLibrary("vitrine_jni");
  }

  private Native() {}

  static native String version();

  static native String instructionSet();

  /** Where the buffer's memory begins, without its position. */
  static native long address(ByteBuffer buffer);

  static native long openFile(byte[] path);

  static native long openBytes(ByteBuffer bytes, int position, int size);

  static native void closeModel(long model);

  /** Height and width of the input, height and width of the grid, labels, levels. */
  static native int[] describe(long model);

  /** "deit", "dynamic". */
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

  /** The planes at their positions and {@link Frame#geometry()}. */
  static native void setFrame(
      long session, ByteBuffer y, ByteBuffer u, ByteBuffer v, int[] positions, int[] geometry);

  /** Writes the part of the frame that is looked at, turned upright, as planes of Y, U and V one after another. */
  static native void turnFrame(
      ByteBuffer y, ByteBuffer u, ByteBuffer v, int[] positions, int[] geometry, int degrees, ByteBuffer out);

  static native void run(long session);

  /** Null where the model has no such output. */
  static native float[] logits(long session);

  static native float[] embedding(long session);

  static native float[] attentionMap(long session);

  /** Left, top, width and height in fractions of the picture. */
  static native float[] regionSeen(long session, int width, int height);

  /** Fills both, most probable first, and returns how many there are. */
  static native int top(long session, int[] indices, float[] probabilities);
}
