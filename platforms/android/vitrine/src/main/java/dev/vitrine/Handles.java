// SPDX-License-Identifier: Apache-2.0
package dev.vitrine;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * The native side of a {@link Vitrine}, closed with it, or by a thread of its own after it was forgotten: what
 * java.lang.ref.Cleaner does, which Android has only since API 33.
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

  private final ByteBuffer bytes; // held while the model reads it
  final long model;
  final long session;

  Handles(Vitrine owner, long model, long session, ByteBuffer bytes) {
    super(owner, FORGOTTEN);
    this.model = model;
    this.session = session;
    this.bytes = bytes;
    OPEN.add(this);
  }

  /** How many are open: for tests. */
  static int openCount() {
    return OPEN.size();
  }

  /** Does nothing the second time. */
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
        // Nobody is there to be told, and those that follow are to be closed all the same.
      }
    }
  }
}
