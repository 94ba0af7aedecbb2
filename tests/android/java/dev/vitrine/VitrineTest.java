// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.graphics.RectF;
import dev.vitrine.VitrineException.Code;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.function.ThrowingRunnable;

/** Tests photos, results, failures and lifetimes. */
public class VitrineTest {
  private static void assertFails(Code code, String message, ThrowingRunnable call) {
    VitrineException e = assertThrows(VitrineException.class, call);
    assertEquals(e.getMessage(), code, e.code());
    assertTrue(e.getMessage(), e.getMessage().contains(message));
  }

  private static void assertAsTheCommand(List<Guess> guesses, float[] logits, JSONObject said) throws Exception {
    JSONArray top = said.getJSONArray("top");
    assertEquals(top.length(), guesses.size());
    for (int i = 0; i < top.length(); ++i) {
      assertEquals(top.getJSONObject(i).getString("label"), guesses.get(i).label());
      assertEquals(top.getJSONObject(i).getInt("index"), guesses.get(i).index());
      assertEquals((float) top.getJSONObject(i).getDouble("probability"), guesses.get(i).probability(), 0);
    }
    assertArrayEquals(Fixture.floats(said.getJSONArray("logits")), logits, 0);
  }

  @Test
  public void photosGiveTheCommandsAnswer() throws Exception {
    Map<File, JSONObject> said = Fixture.said("classify.jsonl");
    assertEquals(7, said.size());
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options().threads(2))) {
      for (Map.Entry<File, JSONObject> line : said.entrySet()) {
        assertAsTheCommand(vitrine.classify(line.getKey()), vitrine.logits(), line.getValue());
        if (!line.getKey().getName().endsWith(".jpg")) continue;
        List<Guess> guesses = vitrine.classify(Fixture.bytes(line.getKey()));
        assertAsTheCommand(guesses, vitrine.logits(), line.getValue());
      }
    }
  }

  @Test
  public void embeddingsAreTheCommands() throws Exception {
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options())) {
      for (Map.Entry<File, JSONObject> line : Fixture.said("embed.jsonl").entrySet()) {
        float[] expected = Fixture.floats(line.getValue().getJSONArray("embedding"));
        assertArrayEquals(expected, vitrine.embed(line.getKey()), 0);
      }
    }
  }

  @Test
  public void classesWithoutNamesAreNumbers() throws Exception {
    try (Vitrine vitrine = Vitrine.open(Fixture.path("nameless.vit"), new Options())) {
      assertEquals(0, vitrine.labels().size());
      for (Map.Entry<File, JSONObject> line : Fixture.said("nameless.jsonl").entrySet()) {
        List<Guess> guesses = vitrine.classify(line.getKey());
        assertAsTheCommand(guesses, vitrine.logits(), line.getValue());
        assertEquals("class " + guesses.get(0).index(), guesses.get(0).label());
      }
    }
  }

  @Test
  public void aModelWithoutAClassifierSaysSo() {
    File photo = new File(Fixture.path("picture.png"));
    try (Vitrine vitrine = Vitrine.open(Fixture.path("headless.vit"), new Options())) {
      assertFails(Code.UNSUPPORTED_MODEL, "the model has no classifier: use embed()", () -> vitrine.classify(photo));
      assertTrue(vitrine.embed(photo).length > 0);
      assertNull(vitrine.logits());
    }
  }

  @Test
  public void levelsGiveTheCommandsAnswer() throws Exception {
    try (Vitrine vitrine = Vitrine.open(Fixture.MERGING_MODEL, new Options())) {
      assertEquals(2, vitrine.levelCount());
      for (int level = 0; level < 2; ++level) {
        vitrine.setLevel(level);
        for (Map.Entry<File, JSONObject> line : Fixture.said("level" + level + ".jsonl").entrySet())
          assertAsTheCommand(vitrine.classify(line.getKey()), vitrine.logits(), line.getValue());
      }
      assertFails(Code.INVALID_ARGUMENT, "no level 2, the last is 1", () -> vitrine.setLevel(2));
    }
  }

  @Test
  public void aModelInMemoryIsTheSame() throws Exception {
    byte[] model = Fixture.bytes(new File(Fixture.MODEL));
    Map.Entry<File, JSONObject> line = Fixture.said("classify.jsonl").entrySet().iterator().next();
    ByteBuffer odd = ByteBuffer.allocateDirect(model.length + 3);
    odd.position(3);
    odd.duplicate().put(model);
    for (ByteBuffer bytes : new ByteBuffer[] {ByteBuffer.wrap(model), odd}) {
      try (Vitrine vitrine = Vitrine.open(bytes, new Options())) {
        assertAsTheCommand(vitrine.classify(line.getKey()), vitrine.logits(), line.getValue());
      }
    }
  }

  @Test
  public void saysWhatTheModelIs() {
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options().topK(2))) {
      assertEquals(128, vitrine.imageHeight());
      assertEquals(128, vitrine.imageWidth());
      assertEquals(8, vitrine.gridHeight());
      assertEquals(8, vitrine.gridWidth());
      assertEquals(1, vitrine.levelCount());
      assertEquals("dynamic", vitrine.recipe());
      assertTrue(vitrine.labels().contains("cardboard"));
      assertThrows(UnsupportedOperationException.class, () -> vitrine.labels().set(0, ""));
      assertEquals(2, vitrine.classify(new File(Fixture.path("picture.png"))).size());
    }
    assertTrue(Vitrine.version().matches("\\d+\\.\\d+\\.\\d+"));
    assertTrue(Vitrine.instructionSet().length() > 0);
  }

  @Test
  public void tellsWhereItLooks() {
    File photo = new File(Fixture.path("picture.png"));
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options().attentionMap(true))) {
      vitrine.classify(photo);
      float[] logits = vitrine.logits();
      assertNull(vitrine.attentionMap());
      for (AttentionMap kind : new AttentionMap[] {AttentionMap.ROLLOUT, AttentionMap.LAST_BLOCK}) {
        vitrine.setAttentionMap(kind);
        vitrine.classify(photo);
        assertArrayEquals(logits, vitrine.logits(), 0);
        float[] map = vitrine.attentionMap();
        assertEquals(8 * 8, map.length);
        float sum = 0;
        for (float share : map) {
          assertTrue(share >= 0);
          sum += share;
        }
        assertTrue("" + sum, sum > 0.1f && sum <= 1.0001f);
      }
    }
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options())) {
      assertFails(Code.INVALID_ARGUMENT, "", () -> vitrine.setAttentionMap(AttentionMap.ROLLOUT));
    }
  }

  @Test
  public void saysWhichPartOfAPictureItSees() {
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options())) {
      RectF wide = vitrine.regionSeen(640, 320);
      RectF high = vitrine.regionSeen(320, 640);
      assertEquals(0.5f, wide.centerX(), 0.01f);
      assertEquals(0.5f, wide.centerY(), 0.01f);
      assertEquals(2 * wide.width(), wide.height(), 0.01f); // a square
      assertEquals(wide.width(), high.height(), 0);
      assertEquals(wide.height(), high.width(), 0);
    }
  }

  @Test
  public void failuresHaveACodeAndSayWhatIsWrong() throws Exception {
    assertFails(Code.INVALID_ARGUMENT, "a path has a zero in it", () -> Vitrine.open("/a.vit\0b", new Options()));
    assertFails(Code.NOT_FOUND, "no-such.vit", () -> Vitrine.open("/no-such.vit", new Options()));
    assertFails(Code.NOT_FOUND, "caf\u00e9 \ud83d\ude00.vit", () -> Vitrine.open("/caf\u00e9 \ud83d\ude00.vit", new Options()));
    byte[] model = Fixture.bytes(new File(Fixture.MODEL));
    model[model.length / 2] ^= 1;
    assertFails(Code.INVALID_MODEL, "", () -> Vitrine.open(ByteBuffer.wrap(model), new Options()));
    assertFails(Code.INVALID_ARGUMENT, "", () -> Vitrine.open(Fixture.MODEL, new Options().threads(-1)));
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options())) {
      assertFails(Code.INVALID_IMAGE, "", () -> vitrine.classify(new byte[] {1, 2, 3}));
      assertFails(Code.INVALID_IMAGE, "", () -> vitrine.classify(new byte[0]));
      assertFails(Code.INVALID_ARGUMENT, "a path has a zero in it", () -> vitrine.classify(new File("/a.jpg\0b")));
      assertFails(Code.NOT_FOUND, "no-such.jpg", () -> vitrine.classify(new File("/no-such.jpg")));
      assertThrows(NullPointerException.class, () -> vitrine.classify((byte[]) null));
      assertEquals(5, vitrine.classify(new File(Fixture.path("picture.png"))).size());
    }
  }

  @Test
  public void aClosedOneIsRefusedAndClosingTwiceIsNone() {
    Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options());
    vitrine.close();
    vitrine.close();
    assertFails(Code.INVALID_ARGUMENT, "not open", () -> vitrine.classify(new byte[1]));
    assertFails(Code.INVALID_ARGUMENT, "not open", vitrine::logits);
  }

  @Test
  public void twoThreadsAtOnceAreRefusedAndTheOneInsideIsNotDisturbed() throws Exception {
    File photo = new File(Fixture.path("picture.png"));
    try (Vitrine vitrine = Vitrine.open(Fixture.MODEL, new Options())) {
      vitrine.classify(photo);
      float[] logits = vitrine.logits();
      AtomicInteger refused = new AtomicInteger();
      CountDownLatch done = new CountDownLatch(1);
      Thread other =
          new Thread(
              () -> {
                while (done.getCount() != 0) {
                  try {
                    vitrine.logits();
                  } catch (VitrineException e) {
                    if (e.code() == Code.BUSY) refused.incrementAndGet();
                  }
                }
              });
      other.start();
      int classified = 0;
      for (long end = System.nanoTime() + 10_000_000_000L; System.nanoTime() < end; ) {
        try {
          vitrine.classify(photo);
          ++classified;
        } catch (VitrineException e) {
          assertEquals(Code.BUSY, e.code());
        }
        if (classified >= 3 && refused.get() >= 3) break;
      }
      done.countDown();
      other.join();
      assertTrue(classified + " runs, " + refused + " refusals", classified >= 3 && refused.get() >= 3);
      assertArrayEquals(logits, vitrine.logits(), 0);
    }
  }

  @Test
  public void forgottenOnesAreClosed() throws Exception {
    int before = Handles.openCount();
    for (int i = 0; i < 3; ++i) Vitrine.open(Fixture.SMALL_MODEL, new Options());
    assertEquals(before + 3, Handles.openCount());
    for (int i = 0; i < 100 && Handles.openCount() > before; ++i) {
      System.gc();
      Thread.sleep(50);
    }
    assertEquals(before, Handles.openCount());
  }
}
