// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import android.graphics.Bitmap;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.Objects;

/** An image of any kind, and the call that passes it to a session. */
abstract class Picture {
  abstract void setOn(long session, Scratch scratch);

  /** Memory for copies. It grows to the size of the largest picture so far. */
  static final class Scratch {
    private ByteBuffer memory = ByteBuffer.allocateDirect(0);

    ByteBuffer ofBytes(int bytes) {
      if (memory.capacity() < bytes) memory = ByteBuffer.allocateDirect(bytes);
      memory.clear();
      return memory;
    }
  }

  static Picture of(final Bitmap bitmap) {
    Objects.requireNonNull(bitmap);
    return new Picture() {
      @Override
      void setOn(long session, Scratch scratch) {
        if (bitmap.isRecycled()) throw refusal("the bitmap was recycled");
        boolean isRgba = bitmap.getConfig() == Bitmap.Config.ARGB_8888; // bytes R, G, B, A
        Bitmap rgba = isRgba ? bitmap : bitmap.copy(Bitmap.Config.ARGB_8888, false);
        if (rgba == null) throw refusal("the bitmap cannot be read as ARGB_8888");
        ByteBuffer pixels = scratch.ofBytes(rgba.getRowBytes() * rgba.getHeight());
        rgba.copyPixelsToBuffer(pixels);
        Native.setRgba(session, pixels, rgba.getWidth(), rgba.getHeight(), rgba.getRowBytes());
        if (rgba != bitmap) rgba.recycle();
      }
    };
  }

  static Picture of(final Frame frame) {
    Objects.requireNonNull(frame);
    return new Picture() {
      @Override
      void setOn(long session, Scratch scratch) {
        Frame upright = frame.needsCopy() ? frame.upright(scratch.ofBytes(frame.copyBytes())) : frame;
        upright.setOn(session);
      }
    };
  }

  static Picture of(final byte[] jpeg) {
    Objects.requireNonNull(jpeg);
    return new Picture() {
      @Override
      void setOn(long session, Scratch scratch) {
        Native.setJpeg(session, jpeg);
      }
    };
  }

  static Picture of(final File photo) {
    Objects.requireNonNull(photo);
    return new Picture() {
      @Override
      void setOn(long session, Scratch scratch) {
        Native.setFile(session, Vitrine.bytesOf(photo.getPath()));
      }
    };
  }

  private static VitrineException refusal(String message) {
    return new VitrineException(VitrineException.Code.INVALID_IMAGE, message);
  }
}
