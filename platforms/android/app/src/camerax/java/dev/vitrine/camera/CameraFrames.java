// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.graphics.SurfaceTexture;
import android.media.Image;
import android.os.Handler;
import android.os.Looper;
import android.view.Surface;
import androidx.annotation.OptIn;
import androidx.camera.core.CameraSelector;
import androidx.camera.core.ExperimentalGetImage;
import androidx.camera.core.ImageAnalysis;
import androidx.camera.core.ImageProxy;
import androidx.camera.core.Preview;
import androidx.camera.core.SurfaceRequest;
import androidx.camera.lifecycle.ProcessCameraProvider;
import androidx.lifecycle.Lifecycle;
import androidx.lifecycle.LifecycleOwner;
import androidx.lifecycle.LifecycleRegistry;
import com.google.common.util.concurrent.ListenableFuture;
import dev.vitrine.Frame;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The back camera through CameraX, which has workarounds for many devices. Its lifecycle ends with stop(). */
final class CameraFrames implements Frames, LifecycleOwner {
  private static final long STOP_SECONDS = 5; // longer than a frame takes

  private final LifecycleRegistry lifecycle = new LifecycleRegistry(this);
  private final ExecutorService analysis = Executors.newSingleThreadExecutor();
  private final Handler main = new Handler(Looper.getMainLooper());
  private final Executor onMain = command -> main.post(command);
  private final Listener listener;
  private final SurfaceTexture texture;
  private boolean stopped;

  /** Opens the camera. Call it on the main thread. The app must have the permission to use the camera. */
  CameraFrames(Context context, SurfaceTexture texture, Listener listener) {
    this.listener = listener;
    this.texture = texture;
    lifecycle.setCurrentState(Lifecycle.State.RESUMED);
    ListenableFuture<ProcessCameraProvider> provider = ProcessCameraProvider.getInstance(context);
    provider.addListener(() -> bind(provider), onMain);
  }

  private void bind(ListenableFuture<ProcessCameraProvider> provider) {
    if (stopped) return;
    Preview preview = new Preview.Builder().build();
    preview.setSurfaceProvider(onMain, this::provideSurface);
    ImageAnalysis frames =
        new ImageAnalysis.Builder().setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST).build();
    frames.setAnalyzer(analysis, this::analyze);
    try {
      provider.get().bindToLifecycle(this, CameraSelector.DEFAULT_BACK_CAMERA, preview, frames);
    } catch (ExecutionException | InterruptedException | IllegalArgumentException e) {
      listener.onFailure(e);
    }
  }

  private void provideSurface(SurfaceRequest request) {
    texture.setDefaultBufferSize(request.getResolution().getWidth(), request.getResolution().getHeight());
    Surface surface = new Surface(texture);
    request.provideSurface(surface, onMain, result -> surface.release());
  }

  @OptIn(markerClass = ExperimentalGetImage.class)
  private void analyze(ImageProxy proxy) {
    try (ImageProxy closing = proxy) {
      Image image = closing.getImage();
      if (image != null) listener.onFrame(Frame.of(image, closing.getImageInfo().getRotationDegrees()));
    }
  }

  @Override
  public Lifecycle getLifecycle() {
    return lifecycle;
  }

  /** Closes the camera, and waits until the listener has finished its frame. */
  @Override
  public void stop() {
    stopped = true;
    lifecycle.setCurrentState(Lifecycle.State.DESTROYED);
    analysis.shutdown();
    try {
      analysis.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
