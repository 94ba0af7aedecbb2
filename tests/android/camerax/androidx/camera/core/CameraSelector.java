// SPDX-License-Identifier: Apache-2.0
package androidx.camera.core;

public final class CameraSelector {
  public static final CameraSelector DEFAULT_BACK_CAMERA = null;
}
