// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.RectF;
import android.util.AttributeSet;
import android.view.View;

/** Draws the attention map over the camera's picture. */
public final class HeatmapView extends View {
  private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
  private final RectF target = new RectF();
  private Bitmap map;
  private RectF region;

  public HeatmapView(Context context, AttributeSet attributes) {
    super(context, attributes);
  }

  /** Shows the map [rows, columns] on `region`, in fractions of the picture. Null `shares` hide the map. */
  void show(float[] shares, int rows, int columns, RectF region) {
    this.region = region;
    map = shares == null ? null : Bitmap.createBitmap(colors(shares), columns, rows, Bitmap.Config.ARGB_8888);
    invalidate();
  }

  /** Returns a colour for each share, from transparent to amber for the largest share. */
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
    target.set(
        region.left * getWidth(), region.top * getHeight(), region.right * getWidth(), region.bottom * getHeight());
    canvas.drawBitmap(map, null, target, smooth);
  }
}
