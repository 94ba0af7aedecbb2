// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import android.media.Image;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;

/** A picture in the form of a camera frame, in each of the layouts that YUV_420_888 allows. */
final class Planes extends Image {
  /** The layout of U and V. APART: two bytes from sample to sample, but in separate planes. */
  enum Layout {
    I420,
    NV12,
    NV21,
    APART
  }

  private static final int PADDING = 16; // bytes at the end of each row

  private final int width;
  private final int height;
  private final Plane[] planes;

  /** Converts with full-range BT.601; a chroma sample is that of the upper left pixel of its four. */
  Planes(BufferedImage image, Layout layout) {
    mIsImageValid = true;
    width = image.getWidth();
    height = image.getHeight();
    ByteBuffer luma = ByteBuffer.allocateDirect((width + PADDING) * height);
    int pixelStride = layout == Layout.I420 ? 1 : 2;
    int rowStride = width / 2 * pixelStride + PADDING;
    int bytes = rowStride * (height / 2);
    ByteBuffer all = ByteBuffer.allocateDirect(2 * bytes);
    int u = layout == Layout.NV21 ? 1 : 0;
    int v = layout == Layout.NV12 ? 1 : layout == Layout.NV21 ? 0 : bytes;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        int rgb = image.getRGB(x, y);
        double red = rgb >> 16 & 255;
        double green = rgb >> 8 & 255;
        double blue = rgb & 255;
        double gray = 0.299 * red + 0.587 * green + 0.114 * blue;
        luma.put(y * (width + PADDING) + x, level(gray));
        if (x % 2 != 0 || y % 2 != 0) continue;
        int at = y / 2 * rowStride + x / 2 * pixelStride;
        all.put(u + at, level(128 + (blue - gray) / 1.772));
        all.put(v + at, level(128 + (red - gray) / 1.402));
      }
    }
    // A camera's plane ends with its last sample.
    int used = rowStride * (height / 2 - 1) + (width / 2 - 1) * pixelStride + 1;
    planes =
        new Plane[] {
          new Samples(luma, width + PADDING, 1),
          new Samples(slice(all, u, used), rowStride, pixelStride),
          new Samples(slice(all, v, used), rowStride, pixelStride)
        };
  }

  private static byte level(double value) {
    return (byte) Math.max(0, Math.min(255, Math.round(value)));
  }

  private static ByteBuffer slice(ByteBuffer whole, int from, int bytes) {
    ByteBuffer part = whole.duplicate();
    part.position(from).limit(from + bytes);
    return part.slice();
  }

  @Override
  public int getFormat() {
    return 35; // ImageFormat.YUV_420_888
  }

  @Override
  public int getWidth() {
    return width;
  }

  @Override
  public int getHeight() {
    return height;
  }

  @Override
  public long getTimestamp() {
    return 0;
  }

  @Override
  public Plane[] getPlanes() {
    return planes;
  }

  @Override
  public void close() {
    mIsImageValid = false;
  }

  private static final class Samples extends Plane {
    private final ByteBuffer bytes;
    private final int rowStride;
    private final int pixelStride;

    Samples(ByteBuffer bytes, int rowStride, int pixelStride) {
      this.bytes = bytes;
      this.rowStride = rowStride;
      this.pixelStride = pixelStride;
    }

    @Override
    public int getRowStride() {
      return rowStride;
    }

    @Override
    public int getPixelStride() {
      return pixelStride;
    }

    @Override
    public ByteBuffer getBuffer() {
      return bytes;
    }
  }
}
