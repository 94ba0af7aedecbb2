// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import dev.vitrine.Frame;

/** Frames of the back camera. CameraFrames implements it with CameraX or with Camera2, depending on the flavor. */
interface Frames {
  /** The size of the preview's and of the model's frames, pixels. */
  int WIDTH = 640;

  int HEIGHT = 480;

  /** Receives frames and failures on the camera's thread. */
  interface Listener {
    /** Receives the newest frame, which is valid until this returns. Frames that arrive in the meantime are dropped. */
    void onFrame(Frame frame);

    void onFailure(Exception failure);
  }

  void stop();
}
