// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

/** A class and its probability. */
public final class Guess {
  private final int index;
  private final String label;
  private final float probability;

  Guess(int index, String label, float probability) {
    this.index = index;
    this.label = label;
    this.probability = probability;
  }

  /** Returns the index of the class, which is also its index in {@link Vitrine#labels()}. */
  public int index() {
    return index;
  }

  /** Returns the name of the class, or for example "class 7" when the model has no names. */
  public String label() {
    return label;
  }

  /** Returns the probability, from 0 to 1. */
  public float probability() {
    return probability;
  }

  @Override
  public String toString() {
    return label + " " + probability;
  }
}
