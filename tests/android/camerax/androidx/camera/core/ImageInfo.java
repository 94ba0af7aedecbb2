// SPDX-License-Identifier: Apache-2.0
package androidx.camera.core;

public interface ImageInfo {
  int getRotationDegrees();
}
