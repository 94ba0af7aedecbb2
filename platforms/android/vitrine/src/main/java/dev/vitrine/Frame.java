// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import android.graphics.Rect;
import android.media.Image;
import java.nio.ByteBuffer;

/**
 * A camera frame in Android's format (ImageFormat.YUV_420_888): a Y plane, and U and V planes of half its height and
 * width. It refers to the caller's buffers, which are read only during classify() and embed().
 *
 * <p>An upright frame is not copied if its layout is NV12 or NV21 (pixel stride 2, U and V one byte apart) or I420
 * (pixel stride 1). These are the usual layouts of cameras. Another rotation or layout needs one copy of the crop.
 */
public final class Frame {
  private static final int MAX_SIDE = 32768;

  private final int width;
  private final int height;
  private final ByteBuffer[] planes;
  private final int[] strides; // of Y rows, of chroma rows, of chroma pixels; bytes
  private int left;
  private int top;
  private int cropWidth;
  private int cropHeight;
  private int rotationDegrees = 0;
  private boolean fullRange = true;
  private boolean bt709 = false;

  /**
   * Creates a frame from planes as in ImageProxy.getPlanes(). The buffers are direct, and each plane begins at its
   * buffer's position. Strides are in bytes. The pixel stride of Y is 1.
   */
  public Frame(
      int width,
      int height,
      ByteBuffer y,
      int yRowStride,
      ByteBuffer u,
      ByteBuffer v,
      int chromaRowStride,
      int chromaPixelStride) {
    if (y == null || u == null || v == null || !y.isDirect() || !u.isDirect() || !v.isDirect())
      throw refusal("the planes of a frame are to be direct buffers");
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
      throw refusal("a frame is " + width + " x " + height + ", expected sides of 1 to " + MAX_SIDE + " pixels");
    this.width = width;
    this.height = height;
    planes = new ByteBuffer[] {y, u, v};
    strides = new int[] {yRowStride, chromaRowStride, chromaPixelStride};
    cropWidth = width;
    cropHeight = height;
  }

  /**
   * Returns a frame for an image of an ImageReader or of ImageProxy.getImage(), with the image's crop rectangle.
   * Keep the image open as long as the frame is used.
   */
  public static Frame of(Image image, int rotationDegrees) {
    Image.Plane[] planes = image.getPlanes();
    if (planes.length != 3) throw refusal("the image has " + planes.length + " planes, expected 3 of YUV_420_888");
    if (planes[1].getRowStride() != planes[2].getRowStride()
        || planes[1].getPixelStride() != planes[2].getPixelStride())
      throw refusal("the planes of U and V have strides that differ");
    Frame frame =
        new Frame(
            image.getWidth(),
            image.getHeight(),
            planes[0].getBuffer(),
            planes[0].getRowStride(),
            planes[1].getBuffer(),
            planes[2].getBuffer(),
            planes[1].getRowStride(),
            planes[1].getPixelStride());
    Rect crop = image.getCropRect();
    if (crop != null && !crop.isEmpty()) frame.crop(crop.left, crop.top, crop.width(), crop.height());
    return frame.rotation(rotationDegrees);
  }

  /**
   * Sets the part of the frame to use, in pixels of the stored frame before rotation. Left and top are rounded down to
   * even numbers, because a chroma sample covers 2 x 2 pixels.
   */
  public Frame crop(int left, int top, int width, int height) {
    if (left < 0 || top < 0 || width < 1 || height < 1 || width > this.width - left || height > this.height - top)
      throw refusal(
          width + " x " + height + " pixels from (" + left + ", " + top + ") on are not within " + this.width + " x " + this.height);
    this.left = left & ~1;
    this.top = top & ~1;
    cropWidth = width;
    cropHeight = height;
    return this;
  }

  /** Sets the clockwise rotation that makes the frame upright: 0, 90, 180 or 270, as ImageInfo.getRotationDegrees(). */
  public Frame rotation(int degrees) {
    if (degrees != 0 && degrees != 90 && degrees != 180 && degrees != 270)
      throw refusal("a frame is turned by " + degrees + " degrees, expected 0, 90, 180 or 270");
    rotationDegrees = degrees;
    return this;
  }

  /**
   * Sets the colour space. The default is full-range BT.601 (JFIF), which cameras use. Decoded video usually has the
   * limited range.
   */
  public Frame color(boolean bt709, boolean fullRange) {
    this.bt709 = bt709;
    this.fullRange = fullRange;
    return this;
  }

  /** Returns whether the frame needs a copy: for a rotation, or when its layout is not NV12, NV21 or I420. */
  boolean needsCopy() {
    return rotationDegrees != 0 || !(strides[2] == 1 || (strides[2] == 2 && Math.abs(chromaDistance()) == 1));
  }

  /** Returns the bytes from the first U to the first V. */
  private long chromaDistance() {
    return (Native.address(planes[2]) + planes[2].position()) - (Native.address(planes[1]) + planes[1].position());
  }

  /** Returns the size of the copy, bytes. */
  int copyBytes() {
    return cropWidth * cropHeight + 2 * ((cropWidth + 1) / 2) * ((cropHeight + 1) / 2);
  }

  /** Copies the crop to `out`, rotated upright, and returns the copy as an I420 frame. */
  Frame upright(ByteBuffer out) {
    Native.turnFrame(planes[0], planes[1], planes[2], positions(), geometry(), rotationDegrees, out);
    int w = uprightWidth();
    int h = uprightHeight();
    int across = (w + 1) / 2;
    int colors = across * ((h + 1) / 2);
    return new Frame(w, h, part(out, 0, w * h), w, part(out, w * h, colors), part(out, w * h + colors, colors), across, 1)
        .color(bt709, fullRange);
  }

  /** Returns the width of the crop after rotation, pixels. */
  public int uprightWidth() {
    return rotationDegrees % 180 == 0 ? cropWidth : cropHeight;
  }

  public int uprightHeight() {
    return rotationDegrees % 180 == 0 ? cropHeight : cropWidth;
  }

  private static ByteBuffer part(ByteBuffer whole, int from, int bytes) {
    ByteBuffer part = whole.duplicate();
    part.position(from).limit(from + bytes);
    return part;
  }

  void setOn(long session) {
    Native.setFrame(session, planes[0], planes[1], planes[2], positions(), geometry());
  }

  /** Returns the position and limit of each plane. */
  private int[] positions() {
    int[] positions = new int[6];
    for (int i = 0; i < 3; ++i) {
      positions[2 * i] = planes[i].position();
      positions[2 * i + 1] = planes[i].limit();
    }
    return positions;
  }

  /** Returns the members of Geometry in jni/frames.h, in the same order. */
  int[] geometry() {
    return new int[] {
      width, height, strides[0], strides[1], strides[2], left, top, cropWidth, cropHeight, bt709 ? 1 : 0, fullRange ? 1 : 0
    };
  }

  private static VitrineException refusal(String message) {
    return new VitrineException(VitrineException.Code.INVALID_ARGUMENT, message);
  }
}
