// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import android.graphics.Rect;
import java.awt.image.BufferedImage;
import java.io.File;
import java.nio.ByteBuffer;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** Tests bitmaps and camera frames with Android's own classes. */
public class FrameTest {
  private Vitrine vitrine;
  private BufferedImage picture; // even sides

  @Before
  public void open() throws Exception {
    vitrine = Vitrine.open(Fixture.MODEL, new Options());
    picture = Fixture.picture();
  }

  @After
  public void close() {
    vitrine.close();
  }

  private float[] logits(Frame frame) {
    vitrine.classify(frame);
    return vitrine.logits();
  }

  private float[] logits(Bitmap bitmap) {
    vitrine.classify(bitmap);
    return vitrine.logits();
  }

  @Test
  public void aBitmapIsWhatItsFileIs() throws Exception {
    vitrine.classify(new File(Fixture.path("picture.png")));
    float[] expected = vitrine.logits();
    try (Bitmaps made = new Bitmaps(picture, Bitmap.Config.ARGB_8888)) {
      assertArrayEquals(expected, logits(made.bitmap), 0);
      assertArrayEquals(vitrine.embed(new File(Fixture.path("picture.png"))), vitrine.embed(made.bitmap), 0);
      made.bitmap.recycle();
      VitrineException e = assertThrows(VitrineException.class, () -> vitrine.classify(made.bitmap));
      assertEquals(VitrineException.Code.INVALID_IMAGE, e.code());
    }
  }

  @Test
  public void aBitmapOfAnotherKindIsConverted() throws Exception {
    BufferedImage coarse = Fixture.rgb(picture.getWidth(), picture.getHeight());
    for (int y = 0; y < coarse.getHeight(); ++y) {
      for (int x = 0; x < coarse.getWidth(); ++x) {
        int kept = picture.getRGB(x, y) & 0xF8FCF8;
        coarse.setRGB(x, y, kept | kept >> 5 & 0x070007 | kept >> 6 & 0x000300);
      }
    }
    try (Bitmaps full = new Bitmaps(coarse, Bitmap.Config.ARGB_8888);
        Bitmaps packed = new Bitmaps(picture, Bitmap.Config.RGB_565)) {
      assertArrayEquals(logits(full.bitmap), logits(packed.bitmap), 0);
    }
  }

  @Test
  public void everyLayoutOfAFrameIsTheSameAndLikeThePicture() throws Exception {
    vitrine.classify(new File(Fixture.path("picture.png")));
    float[] ofPicture = vitrine.logits();
    float[] expected = logits(Frame.of(new Planes(picture, Planes.Layout.I420), 0));
    for (Planes.Layout layout : Planes.Layout.values()) {
      Frame frame = Frame.of(new Planes(picture, layout), 0);
      assertEquals(layout == Planes.Layout.APART, frame.needsCopy());
      assertArrayEquals(layout.name(), expected, logits(frame), 0);
    }
    assertArrayEquals(ofPicture, expected, 0.5f); // logits go from about -5 to 5; chroma has half the resolution
    assertFalse(java.util.Arrays.equals(expected, logits(Frame.of(new Planes(picture, Planes.Layout.NV12), 0).color(true, false))));
  }

  @Test
  public void aTurnedFrameIsTheUprightOne() throws Exception {
    Planes upright = new Planes(picture, Planes.Layout.NV12);
    byte[] expected = copyOf(Frame.of(upright, 0));
    for (int times = 1; times < 4; ++times) {
      // Chroma samples turn with the frame: the upright copy of the turned frame equals the upright frame.
      Frame once = upright(Frame.of(upright, 360 - 90 * times));
      assertArrayEquals(times * 90 + " degrees", expected, copyOf(once.rotation(90 * times)));
    }
    float[] logits = logits(Frame.of(upright, 0));
    for (int times = 1; times < 4; ++times)
      assertArrayEquals(logits, logits(upright(Frame.of(upright, 360 - 90 * times)).rotation(90 * times)), 0);
  }

  @Test
  public void turningIsClockwise() throws Exception {
    float[] expected = logits(Frame.of(new Planes(picture, Planes.Layout.NV21), 0));
    for (int times = 1; times < 4; ++times) {
      BufferedImage stored = Fixture.turned(picture, times);
      Frame frame = Frame.of(new Planes(stored, Planes.Layout.NV21), 90 * times);
      assertArrayEquals(expected, logits(frame), 0.3f); // chroma comes from another pixel of its four
    }
  }

  @Test
  public void theCropRectangleIsLookedAt() throws Exception {
    int width = picture.getWidth() / 2 & ~1;
    int height = picture.getHeight() / 2 & ~1;
    BufferedImage part = picture.getSubimage(6, 4, width, height);
    for (Planes.Layout layout : Planes.Layout.values()) {
      for (int degrees = 0; degrees < 360; degrees += 90) {
        Planes whole = new Planes(picture, layout);
        whole.setCropRect(new Rect(7, 4, 7 + width, 4 + height)); // 7 rounds down to an even number
        float[] expected = logits(Frame.of(new Planes(part, layout), degrees));
        assertArrayEquals(layout + " " + degrees, expected, logits(Frame.of(whole, degrees)), 0);
      }
    }
  }

  @Test
  public void framesThatDoNotFitAreRefused() {
    ByteBuffer plane = ByteBuffer.allocateDirect(64 * 48);
    assertRefused(() -> new Frame(64, 48, ByteBuffer.allocate(64 * 48), 64, plane, plane, 32, 1));
    assertRefused(() -> new Frame(64, 48, null, 64, plane, plane, 32, 1));
    assertRefused(() -> new Frame(0, 48, plane, 64, plane, plane, 32, 1));
    assertRefused(() -> new Frame(64, 40000, plane, 64, plane, plane, 32, 1));
    assertRefused(() -> new Frame(64, 48, plane, 64, plane, plane, 32, 1).rotation(45));
    assertRefused(() -> new Frame(64, 48, plane, 64, plane, plane, 32, 1).crop(2, 2, 64, 8));
    int[][] strides = {{63, 32, 1}, {65, 32, 1}, {64, 31, 1}, {64, 200, 1}, {64, 32, 2}, {64, 32, 0}, {64, -32, 1}, {-64, 32, 1}};
    for (int degrees = 0; degrees < 360; degrees += 90) {
      for (int[] s : strides) {
        Frame frame = new Frame(64, 48, plane, s[0], plane, plane, s[1], s[2]).rotation(degrees);
        assertRefused(() -> vitrine.classify(frame));
      }
    }
    ByteBuffer half = plane.duplicate();
    half.position(32 * 48);
    assertRefused(() -> vitrine.classify(new Frame(64, 48, half, 64, plane, plane, 32, 1)));
    assertEquals(5, vitrine.classify(new Frame(64, 48, plane, 64, plane, plane, 32, 1)).size());
  }

  private static void assertRefused(org.junit.function.ThrowingRunnable call) {
    VitrineException e = assertThrows(VitrineException.class, call);
    assertEquals(e.getMessage(), VitrineException.Code.INVALID_ARGUMENT, e.code());
    assertTrue(e.getMessage().contains("frame") || e.getMessage().contains("not within"));
  }

  private static Frame upright(Frame frame) {
    return frame.upright(ByteBuffer.allocateDirect(frame.copyBytes()));
  }

  private static byte[] copyOf(Frame frame) {
    ByteBuffer out = ByteBuffer.allocateDirect(frame.copyBytes());
    frame.upright(out);
    byte[] bytes = new byte[out.capacity()];
    out.get(bytes);
    return bytes;
  }
}
