// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.nio.charset.StandardCharsets;

/** The failure of a call: a message of one line and a code. */
public final class VitrineException extends RuntimeException {
  /** The kinds of failure. Their ordinals are the values of vitrine_status in vitrine.h. */
  public enum Code {
    OK,
    INVALID_ARGUMENT,
    NOT_FOUND,
    INVALID_MODEL,
    UNSUPPORTED_MODEL,
    INVALID_IMAGE,
    ARENA_TOO_SMALL,
    OUT_OF_MEMORY,
    UNSUPPORTED_CPU,
    INTERNAL,
    /** Another thread is using the same {@link Vitrine}. */
    BUSY
  }

  private static final long serialVersionUID = 1;
  private final Code code;

  VitrineException(Code code, String message) {
    super(message);
    this.code = code;
  }

  /** Returns the exception for a vitrine_status and its message in UTF-8. The native code calls it. */
  static VitrineException of(int status, byte[] message) {
    Code[] codes = Code.values();
    Code code = status > 0 && status < codes.length ? codes[status] : Code.INTERNAL;
    return new VitrineException(code, new String(message, StandardCharsets.UTF_8));
  }

  public Code code() {
    return code;
  }
}
