// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import android.graphics.Bitmap;
import java.awt.image.BufferedImage;
import java.lang.reflect.Field;

/** Creates Android's own Bitmap objects with the pixels of bitmap_natives.cc. */
final class Bitmaps implements AutoCloseable {
  static {
    System.loadLibrary("bitmap_natives");
  }

  final Bitmap bitmap;
  private final long pixels;

  Bitmaps(BufferedImage image, Bitmap.Config config) throws Exception {
    int width = image.getWidth();
    int height = image.getHeight();
    pixels = make(image.getRGB(0, 0, width, height, null, 0, width), width, height, nativeValue(config));
    bitmap = wrap(pixels, width, height);
  }

  /** Skips the constructor, which registers with the garbage collector of Android's own virtual machine. */
  static Bitmap wrap(long pixels, int width, int height) throws Exception {
    Field unsafe = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
    unsafe.setAccessible(true);
    Bitmap bitmap = (Bitmap) ((sun.misc.Unsafe) unsafe.get(null)).allocateInstance(Bitmap.class);
    set(bitmap, "mNativePtr", pixels);
    set(bitmap, "mWidth", width);
    set(bitmap, "mHeight", height);
    return bitmap;
  }

  private static void set(Bitmap bitmap, String name, Object value) throws Exception {
    Field field = Bitmap.class.getDeclaredField(name);
    field.setAccessible(true);
    field.set(bitmap, value);
  }

  private static int nativeValue(Bitmap.Config config) throws Exception {
    Field field = Bitmap.Config.class.getDeclaredField("nativeInt");
    field.setAccessible(true);
    return field.getInt(config);
  }

  @Override
  public void close() {
    free(pixels);
  }

  private static native long make(int[] colors, int width, int height, int config);

  private static native void free(long pixels);
}
