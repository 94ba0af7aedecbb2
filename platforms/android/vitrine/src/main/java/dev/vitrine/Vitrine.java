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
 * A Vision Transformer from a .vit file, run on bitmaps, camera frames and photos.
 *
 * <pre>{@code
 * try (Vitrine vitrine = Vitrine.open("/data/.../waste.vit", new Options().threads(2))) {
 *   Guess best = vitrine.classify(bitmap).get(0);
 *   Log.i("vitrine", best.label() + " " + 100 * best.probability() + " %");
 * }
 * }</pre>
 *
 * <p>Pictures are resized and cropped as the model's training did. Any thread may call, one at a time: a call while
 * another thread is in one fails with BUSY. Every failure is a {@link VitrineException}; after close() they are
 * INVALID_ARGUMENT. One that is forgotten is closed some time after it was collected.
 */
public final class Vitrine implements AutoCloseable {
  private static final int ALIGNMENT = 64; // bytes, of a model in memory

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

  /** Maps a file, packs its weights and starts threads: a few tenths of a second, so not on the main thread. */
  public static Vitrine open(String path, Options options) {
    return new Vitrine(Native.openFile(bytesOf(path)), null, options);
  }

  /**
   * The same for a model in memory, from the buffer's position to its limit, which must stay as it is: an asset that is
   * stored uncompressed and mapped, say. One that is not direct or not at a multiple of 64 bytes is copied.
   */
  public static Vitrine open(ByteBuffer bytes, Options options) {
    ByteBuffer model = aligned(bytes);
    return new Vitrine(Native.openBytes(model, model.position(), model.remaining()), model, options);
  }

  /** "0.1.0". */
  public static String version() {
    return Native.version();
  }

  /** The kernels in use: "NEON", say. */
  public static String instructionSet() {
    return Native.instructionSet();
  }

  /**
   * The most probable classes, most probable first: Options.topK() of them at most. A model without a classifier is
   * UNSUPPORTED_MODEL.
   */
  public List<Guess> classify(Bitmap bitmap) {
    return classify(Picture.of(bitmap));
  }

  public List<Guess> classify(Frame frame) {
    return classify(Picture.of(frame));
  }

  /** A JPEG in memory. Its EXIF orientation is not looked at. */
  public List<Guess> classify(byte[] jpeg) {
    return classify(Picture.of(jpeg));
  }

  /** A photo's file: JPEG, PNG, BMP or PNM, turned upright. */
  public List<Guess> classify(File photo) {
    return classify(Picture.of(photo));
  }

  /** What the classifier reads, or the image's embedding; null where the model has none. */
  public float[] embed(Bitmap bitmap) {
    return embed(Picture.of(bitmap));
  }

  public float[] embed(Frame frame) {
    return embed(Picture.of(frame));
  }

  /** A JPEG in memory. Its EXIF orientation is not looked at. */
  public float[] embed(byte[] jpeg) {
    return embed(Picture.of(jpeg));
  }

  /** A photo's file: JPEG, PNG, BMP or PNM, turned upright. */
  public float[] embed(File photo) {
    return embed(Picture.of(photo));
  }

  /** A value for each class, of the last classify() or embed(); null where the model has no classifier. */
  public float[] logits() {
    begin();
    try {
      return Native.logits(handles.session);
    } finally {
      end();
    }
  }

  /** What the next calls tell attentionMap(), for a quarter of their time more; needs Options.attentionMap(true). */
  public void setAttentionMap(AttentionMap kind) {
    begin();
    try {
      Native.setAttentionMap(handles.session, kind.ordinal());
    } finally {
      end();
    }
  }

  /** [gridHeight(), gridWidth()] of the last call, each at least 0, their sum at most 1; null where not asked for. */
  public float[] attentionMap() {
    begin();
    try {
      return Native.attentionMap(handles.session);
    } finally {
      end();
    }
  }

  /**
   * What the model is shown of an upright picture of that size, where attentionMap() lies: in fractions of its sides,
   * beyond 0..1 where the input has a border around the picture.
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

  /** The level of a model that merges tokens, 0 to levelCount() - 1; more is faster. */
  public void setLevel(int level) {
    begin();
    try {
      Native.setLevel(handles.session, level);
    } finally {
      end();
    }
  }

  /** Names of the classes; none where the model brings none, and its guesses are "class 7" then. */
  public List<String> labels() {
    return labels;
  }

  public int levelCount() {
    return description[5];
  }

  /** Patches, 0 where the model has none. */
  public int gridHeight() {
    return description[2];
  }

  public int gridWidth() {
    return description[3];
  }

  /** Pixels, that pictures are resized to. */
  public int imageHeight() {
    return description[0];
  }

  public int imageWidth() {
    return description[1];
  }

  /** "vit", say. */
  public String family() {
    return family;
  }

  /** How it was quantized: "dynamic", say. */
  public String recipe() {
    return recipe;
  }

  /** Frees what it holds. Does nothing the second time; BUSY while another thread is in a call. */
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

  /** A whole call is one thread's: the picture that it set is the one that its results are of. */
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

  /** As the native code wants a path: a zero would end it, and another file would be opened. */
  static byte[] bytesOf(String path) {
    if (path.indexOf('\0') >= 0)
      throw new VitrineException(VitrineException.Code.INVALID_ARGUMENT, "a path has a zero in it");
    return path.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] utf8) {
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
