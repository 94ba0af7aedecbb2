// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.Test;

/** After 10,000 calls the process is as large as after the first 2,000. The JVM commits its heap at the start. */
public class LeakTest {
  private static final int CALLS = 10000;
  private static final int WARM = 2000;
  private static final int MOST_GROWTH_KB = 4096; // detects a leak of half a kilobyte per call; pictures have at least 12

  private static int residentKilobytes() throws Exception {
    String status = new String(Files.readAllBytes(new File("/proc/self/status").toPath()), StandardCharsets.US_ASCII);
    return Integer.parseInt(status.replaceAll("(?s).*VmRSS:\\s*(\\d+) kB.*", "$1"));
  }

  private static BufferedImage small() throws Exception {
    BufferedImage image = Fixture.rgb(64, 64);
    Graphics2D to = image.createGraphics();
    to.drawImage(Fixture.picture(), 0, 0, 64, 64, null);
    to.dispose();
    return image;
  }

  @Test
  public void tenThousandCallsLeaveNothing() throws Exception {
    BufferedImage image = small();
    byte[] jpeg = Fixture.jpegOf(image);
    byte[] noJpeg = {1, 2, 3};
    Planes camera = new Planes(image, Planes.Layout.NV21);
    int resident = 0;
    try (Vitrine vitrine = Vitrine.open(Fixture.SMALL_MODEL, new Options().threads(1).attentionMap(true));
        Bitmaps made = new Bitmaps(image, Bitmap.Config.ARGB_8888)) {
      vitrine.setAttentionMap(AttentionMap.ROLLOUT);
      for (int call = 0; call < CALLS; ++call) {
        if (call == WARM) resident = residentKilobytes();
        if (call % 5 == 0) vitrine.classify(jpeg);
        if (call % 5 == 1) vitrine.classify(made.bitmap);
        if (call % 5 == 2) vitrine.classify(Frame.of(camera, 90 * (call % 4)));
        if (call % 5 == 3) vitrine.embed(jpeg);
        if (call % 5 == 4) assertThrows(VitrineException.class, () -> vitrine.classify(noJpeg));
        vitrine.logits();
        vitrine.attentionMap();
      }
    }
    int grown = residentKilobytes() - resident;
    System.out.println(CALLS + " calls: grown by " + grown + " KB from " + resident);
    assertTrue("grown by " + grown + " KB", grown < MOST_GROWTH_KB);
  }

  @Test
  public void openingAndClosingLeavesNothing() throws Exception {
    int resident = 0;
    for (int i = 0; i < 60; ++i) {
      if (i == 20) resident = residentKilobytes();
      try (Vitrine vitrine = Vitrine.open(Fixture.SMALL_MODEL, new Options().threads(2))) {
        vitrine.labels();
      }
      assertThrows(VitrineException.class, () -> Vitrine.open("/no-such.vit", new Options()));
    }
    int grown = residentKilobytes() - resident;
    System.out.println("40 times open and close: grown by " + grown + " KB from " + resident);
    assertTrue("grown by " + grown + " KB", grown < 2 * MOST_GROWTH_KB);
  }
}
