// SPDX-License-Identifier: Apache-2.0
package androidx.camera.core;

import android.util.Size;
import android.view.Surface;
import java.util.concurrent.Executor;

public final class SurfaceRequest {
  public native Size getResolution();

  public native void provideSurface(Surface surface, Executor executor, androidx.core.util.Consumer<Result> listener);

  public abstract static class Result {}
}
