// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import dev.vitrine.Frame;

/** Frames of the back camera. CameraFrames is one over CameraX or, in the other flavor, Camera2. */
interface Frames {
  /** Of frames, pixels; the preview's and the analysed ones'. */
  int WIDTH = 640;

  int HEIGHT = 480;

  /** Told from the camera's thread. */
  interface Listener {
    /** The newest frame, which is valid until this returns; those that come meanwhile are dropped. */
    void onFrame(Frame frame);

    void onFailure(Exception failure);
  }

  void stop();
}
