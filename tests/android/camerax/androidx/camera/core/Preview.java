// SPDX-License-Identifier: Apache-2.0
package androidx.camera.core;

import java.util.concurrent.Executor;

public final class Preview extends UseCase {
  public native void setSurfaceProvider(Executor executor, SurfaceProvider provider);

  public interface SurfaceProvider {
    void onSurfaceRequested(SurfaceRequest request);
  }

  public static final class Builder {
    public native Preview build();
  }
}
