// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import android.graphics.Bitmap;
import android.graphics.RectF;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs a Vision Transformer from a .vit file on bitmaps, camera frames and photos.
 *
 * <pre>{@code
 * try (Vitrine vitrine = Vitrine.open("/data/.../waste.vit", new Options().threads(2))) {
 *   Guess best = vitrine.classify(bitmap).get(0);
 *   Log.i("vitrine", best.label() + " " + 100 * best.probability() + " %");
 * }
 * }</pre>
 *
 * <p>Pictures are resized and cropped as in the model's training. Any thread may call, but only one at a time: a call
 * fails with BUSY while another thread is in a call. Every failure throws {@link VitrineException}. Calls after close()
 * fail with INVALID_ARGUMENT. An object that was not closed is closed some time after it was collected.
 */
public final class Vitrine implements AutoCloseable {
  private static final int ALIGNMENT = 64; // of a model in memory, bytes

  private final Handles handles;
  private final int topK;
  private final int classCount;
  private final List<String> labels;
  private final int[] description;
  private final String family;
  private final String recipe;
  private final Picture.Scratch scratch = new Picture.Scratch();
  private final AtomicBoolean busy = new AtomicBoolean();

  private Vitrine(long model, ByteBuffer bytes, Options options) {
    long session = 0;
    try {
      byte[] packed = options.packedWeights == null ? null : bytesOf(options.packedWeights.getPath());
      session = Native.createSession(model, options.threads, packed, options.attentionMap);
      description = Native.describe(model);
      float[] logits = Native.logits(session);
      classCount = logits == null ? 0 : logits.length;
      labels = readLabels(model, description[4]);
      family = text(Native.family(model));
      recipe = text(Native.recipe(model));
    } catch (RuntimeException | Error e) {
      if (session != 0) Native.closeSession(session);
      Native.closeModel(model);
      throw e;
    }
    topK = options.topK;
    handles = new Handles(this, model, session, bytes);
  }

  /**
   * Opens a model file: maps it, packs its weights and starts threads. This takes a few tenths of a second, so do not
   * call it on the main thread.
   */
  public static Vitrine open(String path, Options options) {
    return new Vitrine(Native.openFile(bytesOf(path)), null, options);
  }

  /**
   * Opens a model in memory, from the buffer's position to its limit, for example a mapped asset that is stored
   * uncompressed. The bytes must not change. A buffer is copied unless it is direct and 64-byte aligned.
   */
  public static Vitrine open(ByteBuffer bytes, Options options) {
    ByteBuffer model = aligned(bytes);
    return new Vitrine(Native.openBytes(model, model.position(), model.remaining()), model, options);
  }

  /** Returns the version, for example "0.1.0". */
  public static String version() {
    return Native.version();
  }

  /** Returns the instruction set of the kernels in use, for example "NEON". */
  public static String instructionSet() {
    return Native.instructionSet();
  }

  /**
   * Returns the most probable classes, at most Options.topK(), the most probable first. Fails with UNSUPPORTED_MODEL
   * when the model has no classifier.
   */
  public List<Guess> classify(Bitmap bitmap) {
    return classify(Picture.of(bitmap));
  }

  public List<Guess> classify(Frame frame) {
    return classify(Picture.of(frame));
  }

  /** Classifies a JPEG in memory. Ignores its EXIF orientation. */
  public List<Guess> classify(byte[] jpeg) {
    return classify(Picture.of(jpeg));
  }

  /** Classifies a photo: a JPEG, PNG, BMP or PNM file. Applies the EXIF orientation. */
  public List<Guess> classify(File photo) {
    return classify(Picture.of(photo));
  }

  /** Returns the classifier's input, or the image's embedding; null when the model has neither. */
  public float[] embed(Bitmap bitmap) {
    return embed(Picture.of(bitmap));
  }

  public float[] embed(Frame frame) {
    return embed(Picture.of(frame));
  }

  /** Embeds a JPEG in memory. Ignores its EXIF orientation. */
  public float[] embed(byte[] jpeg) {
    return embed(Picture.of(jpeg));
  }

  /** Embeds a photo: a JPEG, PNG, BMP or PNM file. Applies the EXIF orientation. */
  public float[] embed(File photo) {
    return embed(Picture.of(photo));
  }

  /** Returns the logits of the last classify() or embed(), one per class; null when the model has no classifier. */
  public float[] logits() {
    begin();
    try {
      return Native.logits(handles.session);
    } finally {
      end();
    }
  }

  /**
   * Selects the map that the next calls compute for attentionMap(). They then take about a quarter longer. Needs
   * Options.attentionMap(true).
   */
  public void setAttentionMap(AttentionMap kind) {
    begin();
    try {
      Native.setAttentionMap(handles.session, kind.ordinal());
    } finally {
      end();
    }
  }

  /**
   * Returns the attention map of the last call, [gridHeight(), gridWidth()]; null when no map was selected. Values are
   * at least 0, and their sum is at most 1.
   */
  public float[] attentionMap() {
    begin();
    try {
      return Native.attentionMap(handles.session);
    } finally {
      end();
    }
  }

  /**
   * Returns the part of an upright picture of this size that the model receives, which is the area that attentionMap()
   * covers. It is in fractions of the sides, and exceeds 0..1 when the input has a border around the picture.
   */
  public RectF regionSeen(int width, int height) {
    begin();
    try {
      float[] region = Native.regionSeen(handles.session, width, height);
      return new RectF(region[0], region[1], region[0] + region[2], region[1] + region[3]);
    } finally {
      end();
    }
  }

  /**
   * Selects the level that runs, 0 (the default) to levelCount() - 1. Higher levels merge more tokens, which is faster
   * and less accurate.
   */
  public void setLevel(int level) {
    begin();
    try {
      Native.setLevel(handles.session, level);
    } finally {
      end();
    }
  }

  /** Returns the names of the classes. Empty when the model has none; guesses are then named "class 7", for example. */
  public List<String> labels() {
    return labels;
  }

  public int levelCount() {
    return description[5];
  }

  /** Returns the number of patches in a column; 0 when the input is not cut into patches. */
  public int gridHeight() {
    return description[2];
  }

  public int gridWidth() {
    return description[3];
  }

  /** Returns the height of the model's input, pixels. */
  public int imageHeight() {
    return description[0];
  }

  public int imageWidth() {
    return description[1];
  }

  /** Returns the family of the model, for example "vit". */
  public String family() {
    return family;
  }

  /** Returns the recipe of its quantization, for example "dynamic". */
  public String recipe() {
    return recipe;
  }

  /** Frees the memory. Closing twice has no effect. Fails with BUSY while another thread is in a call. */
  @Override
  public void close() {
    begin();
    try {
      handles.close();
    } finally {
      end();
    }
  }

  private List<Guess> classify(Picture picture) {
    begin();
    try {
      look(picture);
      if (classCount == 0)
        throw new VitrineException(VitrineException.Code.UNSUPPORTED_MODEL, "the model has no classifier: use embed()");
      return top();
    } finally {
      end();
    }
  }

  private float[] embed(Picture picture) {
    begin();
    try {
      look(picture);
      return Native.embedding(handles.session);
    } finally {
      end();
    }
  }

  private void look(Picture picture) {
    picture.setOn(handles.session, scratch);
    Native.run(handles.session);
  }

  private List<Guess> top() {
    int[] indices = new int[Math.max(0, Math.min(topK, classCount))];
    float[] probabilities = new float[indices.length];
    int count = Native.top(handles.session, indices, probabilities);
    List<Guess> guesses = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) guesses.add(new Guess(indices[i], label(indices[i]), probabilities[i]));
    return guesses;
  }

  private String label(int index) {
    return index < labels.size() ? labels.get(index) : "class " + index;
  }

  /** Locks the object for a whole call, so that a call returns the results of its own picture. */
  private void begin() {
    if (!busy.compareAndSet(false, true))
      throw new VitrineException(VitrineException.Code.BUSY, "another thread is in a call on this Vitrine");
  }

  private void end() {
    busy.set(false);
  }

  private static ByteBuffer aligned(ByteBuffer bytes) {
    ByteBuffer given = bytes.duplicate();
    if (given.isDirect() && (Native.address(given) + given.position()) % ALIGNMENT == 0) return given;
    ByteBuffer copy = ByteBuffer.allocateDirect(given.remaining() + ALIGNMENT);
    copy.position((int) (-Native.address(copy) & (ALIGNMENT - 1)));
    copy.limit(copy.position() + given.remaining());
    copy.duplicate().put(given);
    return copy;
  }

  private static List<String> readLabels(long model, int count) {
    String[] names = new String[count];
    for (int i = 0; i < count; ++i) names[i] = text(Native.label(model, i));
    return Collections.unmodifiableList(Arrays.asList(names));
  }

  /** Returns a path for the native code. Refuses a zero, which would cut the path short and open another file. */
  static byte[] bytesOf(String path) {
    if (path.indexOf('\0') >= 0)
      throw new VitrineException(VitrineException.Code.INVALID_ARGUMENT, "a path has a zero in it");
    return path.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] utf8) {
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
