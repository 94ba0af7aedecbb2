// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.imageio.ImageIO;
import org.json.JSONArray;
import org.json.JSONObject;

/** The folder that android_test.py writes: models, photos, and the vitrine command's results for them. */
final class Fixture {
  static final File FOLDER = new File(System.getProperty("vitrine.fixture"));
  static final String MODEL = path("tiny.vit");
  static final String MERGING_MODEL = path("merging.vit");
  static final String SMALL_MODEL = path("small.vit");

  private Fixture() {}

  static String path(String name) {
    return new File(FOLDER, name).getPath();
  }

  /** The command's lines, by the path of the photo. */
  static Map<File, JSONObject> said(String name) throws Exception {
    Map<File, JSONObject> lines = new LinkedHashMap<>();
    for (String line : Files.readAllLines(new File(FOLDER, name).toPath(), StandardCharsets.UTF_8)) {
      JSONObject object = new JSONObject(line);
      lines.put(new File(object.getString("image")), object);
    }
    return lines;
  }

  static float[] floats(JSONArray array) throws Exception {
    float[] values = new float[array.length()];
    for (int i = 0; i < values.length; ++i) values[i] = (float) array.getDouble(i);
    return values;
  }

  static byte[] bytes(File file) throws IOException {
    return Files.readAllBytes(file.toPath());
  }

  static BufferedImage picture() throws IOException {
    return ImageIO.read(new File(FOLDER, "picture.png"));
  }

  static byte[] jpegOf(BufferedImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "jpg", out);
    return out.toByteArray();
  }

  static BufferedImage rgb(int width, int height) {
    return new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
  }

  /** Turns a picture counterclockwise by 90 degrees this many times: the frame of a camera with that rotation. */
  static BufferedImage turned(BufferedImage image, int times) {
    if (times == 0) return image;
    BufferedImage out = rgb(image.getHeight(), image.getWidth());
    for (int y = 0; y < image.getHeight(); ++y)
      for (int x = 0; x < image.getWidth(); ++x) out.setRGB(y, image.getWidth() - 1 - x, image.getRGB(x, y));
    return turned(out, times - 1);
  }
}
