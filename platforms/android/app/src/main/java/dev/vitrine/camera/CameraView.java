// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.util.AttributeSet;
import android.view.TextureView;

/** The camera's picture, upright: as wide as it may be, 3 : 4. */
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
