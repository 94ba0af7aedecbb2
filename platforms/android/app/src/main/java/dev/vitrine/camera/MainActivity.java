// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.Manifest;
import android.app.Activity;
import android.content.pm.PackageManager;
import android.graphics.SurfaceTexture;
import android.os.Bundle;
import android.view.TextureView;
import android.widget.CompoundButton;
import android.widget.SeekBar;
import android.widget.Switch;
import android.widget.TextView;
import dev.vitrine.Frame;
import dev.vitrine.Guess;
import dev.vitrine.Vitrine;
import dev.vitrine.VitrineException;
import java.io.IOException;

/** Shows the camera's picture, the five most probable classes, the latency, the attention map and the settings. */
public final class MainActivity extends Activity implements Frames.Listener {
  private static final int ASK_FOR_CAMERA = 1;

  private CameraView camera;
  private HeatmapView heatmap;
  private TextView latency;
  private TextView guesses;
  private Switch showHeatmap;
  private SeekBar threads;
  private SeekBar level;
  private Looker looker; // null when the app has no model
  private Frames frames; // null while the camera is off
  private boolean resumed;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    setContentView(R.layout.main);
    camera = (CameraView) findViewById(R.id.camera);
    heatmap = (HeatmapView) findViewById(R.id.heatmap);
    latency = (TextView) findViewById(R.id.latency);
    guesses = (TextView) findViewById(R.id.guesses);
    showHeatmap = (Switch) findViewById(R.id.show_heatmap);
    threads = (SeekBar) findViewById(R.id.threads);
    level = (SeekBar) findViewById(R.id.level);
    int processors = Runtime.getRuntime().availableProcessors();
    try {
      looker = new Looker(this, Math.min(2, processors));
    } catch (IOException e) {
      latency.setText(R.string.no_model);
      return;
    } catch (VitrineException e) {
      latency.setText(e.getMessage());
      return;
    }
    setUpSettings(processors);
    camera.setSurfaceTextureListener(new WhenShown());
    if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED)
      requestPermissions(new String[] {Manifest.permission.CAMERA}, ASK_FOR_CAMERA);
  }

  private void setUpSettings(int processors) {
    threads.setMax(processors - 1);
    threads.setProgress(Math.min(2, processors) - 1);
    level.setMax(looker.levelCount() - 1);
    level.setEnabled(looker.levelCount() > 1);
    showSettings();
    SeekBar.OnSeekBarChangeListener moved = new WhenMoved();
    threads.setOnSeekBarChangeListener(moved);
    level.setOnSeekBarChangeListener(moved);
    showHeatmap.setOnCheckedChangeListener(
        new CompoundButton.OnCheckedChangeListener() {
          @Override
          public void onCheckedChanged(CompoundButton button, boolean checked) {
            looker.showHeatmap(checked);
          }
        });
  }

  private void showSettings() {
    ((TextView) findViewById(R.id.threads_label)).setText(getString(R.string.threads, threads.getProgress() + 1));
    ((TextView) findViewById(R.id.level_label)).setText(getString(R.string.level, level.getProgress(), level.getMax()));
  }

  /** Applies a setting when the user releases its bar, because another thread count restarts the model. */
  private final class WhenMoved implements SeekBar.OnSeekBarChangeListener {
    @Override
    public void onProgressChanged(SeekBar bar, int progress, boolean byUser) {
      showSettings();
    }

    @Override
    public void onStartTrackingTouch(SeekBar bar) {}

    @Override
    public void onStopTrackingTouch(SeekBar bar) {
      if (bar == level) looker.setLevel(level.getProgress());
      else looker.setThreads(threads.getProgress() + 1, level.getProgress(), showHeatmap.isChecked());
    }
  }

  private final class WhenShown implements TextureView.SurfaceTextureListener {
    @Override
    public void onSurfaceTextureAvailable(SurfaceTexture surface, int width, int height) {
      startCamera();
    }

    @Override
    public void onSurfaceTextureSizeChanged(SurfaceTexture surface, int width, int height) {}

    @Override
    public boolean onSurfaceTextureDestroyed(SurfaceTexture surface) {
      stopCamera();
      return true;
    }

    @Override
    public void onSurfaceTextureUpdated(SurfaceTexture surface) {}
  }

  @Override
  protected void onResume() {
    super.onResume();
    resumed = true;
    startCamera();
  }

  @Override
  protected void onPause() {
    resumed = false;
    stopCamera();
    super.onPause();
  }

  @Override
  protected void onDestroy() {
    if (looker != null) looker.close();
    super.onDestroy();
  }

  @Override
  public void onRequestPermissionsResult(int request, String[] permissions, int[] results) {
    if (request != ASK_FOR_CAMERA || results.length == 0) return;
    if (results[0] == PackageManager.PERMISSION_GRANTED) startCamera();
    else latency.setText(R.string.no_camera);
  }

  private void startCamera() {
    if (!resumed || frames != null || looker == null || !camera.isAvailable()) return;
    if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) return;
    frames = new CameraFrames(this, camera.getSurfaceTexture(), this);
  }

  private void stopCamera() {
    if (frames != null) frames.stop();
    frames = null;
  }

  @Override
  public void onFrame(Frame frame) {
    final Looker.Seen seen;
    try {
      seen = looker.look(frame);
    } catch (VitrineException e) {
      onFailure(e);
      return;
    }
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            show(seen);
          }
        });
  }

  @Override
  public void onFailure(final Exception failure) {
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            latency.setText(failure.getMessage());
          }
        });
  }

  private void show(Looker.Seen seen) {
    latency.setText(getString(R.string.latency, seen.milliseconds, Vitrine.instructionSet()));
    StringBuilder lines = new StringBuilder();
    for (Guess guess : seen.guesses)
      lines.append(getString(R.string.guess, guess.label(), 100 * guess.probability())).append('\n');
    guesses.setText(lines);
    heatmap.show(seen.heatmap, seen.rows, seen.columns, seen.region);
  }
}
