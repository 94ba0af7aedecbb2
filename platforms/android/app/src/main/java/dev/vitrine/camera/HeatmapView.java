// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Rect;
import android.util.AttributeSet;
import android.view.View;

/** Where the model looks, over the camera's picture. The model sees the middle of it: a square, or what its input is. */
public final class HeatmapView extends View {
  private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
  private final Rect target = new Rect();
  private Bitmap map;

  public HeatmapView(Context context, AttributeSet attributes) {
    super(context, attributes);
  }

  /** Shares of rows x columns patches; null hides it. */
  void show(float[] shares, int rows, int columns) {
    map = shares == null ? null : Bitmap.createBitmap(colors(shares), columns, rows, Bitmap.Config.ARGB_8888);
    invalidate();
  }

  /** From clear to amber, the largest share the most. */
  private static int[] colors(float[] shares) {
    float largest = Float.MIN_NORMAL;
    for (float share : shares) largest = Math.max(largest, share);
    int[] colors = new int[shares.length];
    for (int i = 0; i < shares.length; ++i) colors[i] = Math.round(176 * shares[i] / largest) << 24 | 0xFFC107;
    return colors;
  }

  @Override
  protected void onDraw(Canvas canvas) {
    if (map == null) return;
    int width = getWidth();
    int height = Math.min(getHeight(), width * map.getHeight() / map.getWidth());
    int top = (getHeight() - height) / 2;
    target.set(0, top, width, top + height);
    canvas.drawBitmap(map, null, target, smooth);
  }
}
