// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

/** A class and how probable it is. */
public final class Guess {
  private final int index;
  private final String label;
  private final float probability;

  Guess(int index, String label, float probability) {
    this.index = index;
    this.label = label;
    this.probability = probability;
  }

  /** Its place among the classes, and among {@link Vitrine#labels()} where there are any. */
  public int index() {
    return index;
  }

  /** Its name; "class 7" where the model brings no names. */
  public String label() {
    return label;
  }

  /** 0 to 1. */
  public float probability() {
    return probability;
  }

  @Override
  public String toString() {
    return label + " " + probability;
  }
}
