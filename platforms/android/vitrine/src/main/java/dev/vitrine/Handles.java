// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * The native handles of a {@link Vitrine}. close() closes them; otherwise a thread closes them after the Vitrine was
 * collected. java.lang.ref.Cleaner does the same, but Android has it only since API 33.
 */
final class Handles extends PhantomReference<Vitrine> {
  private static final ReferenceQueue<Vitrine> FORGOTTEN = new ReferenceQueue<>();
  private static final Set<Handles> OPEN = Collections.synchronizedSet(new HashSet<Handles>());

  static {
    Thread thread =
        new Thread("vitrine-cleaner") {
          @Override
          public void run() {
            closeForgotten();
          }
        };
    thread.setDaemon(true);
    thread.start();
  }

  private final ByteBuffer bytes; // keeps the memory alive while the model reads it
  final long model;
  final long session;

  Handles(Vitrine owner, long model, long session, ByteBuffer bytes) {
    super(owner, FORGOTTEN);
    this.model = model;
    this.session = session;
    this.bytes = bytes;
    OPEN.add(this);
  }

  /** Returns the number of open objects, for tests. */
  static int openCount() {
    return OPEN.size();
  }

  /** Closes the handles. Closing twice has no effect. */
  void close() {
    if (!OPEN.remove(this)) return;
    Native.closeSession(session);
    Native.closeModel(model);
  }

  private static void closeForgotten() {
    while (true) {
      try {
        ((Handles) FORGOTTEN.remove()).close();
      } catch (InterruptedException | VitrineException e) {
        // Ignored: there is no caller to report it to, and the next handles must be closed too.
      }
    }
  }
}
