// SPDX-License-Identifier: Apache-2.0
package androidx.lifecycle;

public interface LifecycleOwner {
  Lifecycle getLifecycle();
}
