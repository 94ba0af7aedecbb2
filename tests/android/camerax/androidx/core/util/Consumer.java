// SPDX-License-Identifier: Apache-2.0
package androidx.core.util;

public interface Consumer<T> {
  void accept(T value);
}
