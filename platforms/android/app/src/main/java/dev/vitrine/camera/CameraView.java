// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.util.AttributeSet;
import android.view.TextureView;

/** Shows the camera's picture upright, at full width and with sides of 3 : 4. */
public final class CameraView extends TextureView {
  public CameraView(Context context, AttributeSet attributes) {
    super(context, attributes);
  }

  @Override
  protected void onMeasure(int widthSpec, int heightSpec) {
    int width = MeasureSpec.getSize(widthSpec);
    setMeasuredDimension(width, width * Frames.WIDTH / Frames.HEIGHT);
  }
}
