// SPDX-License-Identifier: Apache-2.0
package androidx.lifecycle;

public class LifecycleRegistry extends Lifecycle {
  public LifecycleRegistry(LifecycleOwner owner) {}

  public native void setCurrentState(State state);
}
