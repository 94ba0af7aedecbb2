// SPDX-License-Identifier: Apache-2.0
package dev.vitrine.camera;

import android.content.Context;
import android.graphics.ImageFormat;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.os.HandlerThread;
import android.view.Surface;
import dev.vitrine.Frame;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;

/** The back camera through Camera2, which every device has since API 21. Needs an activity that stays in portrait. */
final class CameraFrames implements Frames {
  private static final int IMAGES = 2; // the model reads one while the camera fills the other

  private final HandlerThread thread = new HandlerThread("camera");
  private final Handler handler;
  private final Listener listener;
  private final Surface preview;
  private final ImageReader reader = ImageReader.newInstance(WIDTH, HEIGHT, ImageFormat.YUV_420_888, IMAGES);
  private CameraDevice device; // used on `thread` only, like the fields below, once it is being opened
  private volatile boolean opening;
  private boolean stopped;
  private int rotationDegrees;

  /** Opens the camera. The app must have the permission to use it. */
  CameraFrames(Context context, SurfaceTexture texture, Listener listener) {
    this.listener = listener;
    texture.setDefaultBufferSize(WIDTH, HEIGHT);
    preview = new Surface(texture);
    thread.start();
    handler = new Handler(thread.getLooper());
    reader.setOnImageAvailableListener(new WhenFilled(), handler);
    open((CameraManager) context.getSystemService(Context.CAMERA_SERVICE));
  }

  private void open(CameraManager manager) {
    try {
      for (String id : manager.getCameraIdList()) {
        CameraCharacteristics camera = manager.getCameraCharacteristics(id);
        Integer facing = camera.get(CameraCharacteristics.LENS_FACING);
        Integer orientation = camera.get(CameraCharacteristics.SENSOR_ORIENTATION);
        if (facing == null || facing != CameraCharacteristics.LENS_FACING_BACK) continue;
        rotationDegrees = orientation == null ? 0 : orientation;
        opening = true;
        manager.openCamera(id, new WhenOpened(), handler);
        return;
      }
      listener.onFailure(new IllegalStateException("there is no back camera"));
    } catch (CameraAccessException | SecurityException e) {
      opening = false;
      listener.onFailure(e);
    }
  }

  private final class WhenOpened extends CameraDevice.StateCallback {
    @Override
    public void onOpened(CameraDevice camera) {
      opening = false;
      device = camera;
      if (stopped) {
        close();
        return;
      }
      try {
        camera.createCaptureSession(Arrays.asList(preview, reader.getSurface()), new WhenConfigured(), handler);
      } catch (CameraAccessException e) {
        listener.onFailure(e);
      }
    }

    @Override
    public void onDisconnected(CameraDevice camera) {
      fail(camera, "the camera was taken by another app");
    }

    @Override
    public void onError(CameraDevice camera, int error) {
      fail(camera, "the camera fails with error " + error);
    }

    private void fail(CameraDevice camera, String message) {
      opening = false;
      device = camera;
      if (stopped) close();
      else listener.onFailure(new IllegalStateException(message));
    }
  }

  private final class WhenConfigured extends CameraCaptureSession.StateCallback {
    @Override
    public void onConfigured(CameraCaptureSession session) {
      if (stopped) return;
      try {
        CaptureRequest.Builder request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
        request.addTarget(preview);
        request.addTarget(reader.getSurface());
        session.setRepeatingRequest(request.build(), null, handler);
      } catch (CameraAccessException e) {
        listener.onFailure(e);
      }
    }

    @Override
    public void onConfigureFailed(CameraCaptureSession session) {
      listener.onFailure(new IllegalStateException("the camera gives no " + WIDTH + " x " + HEIGHT + " pixels"));
    }
  }

  private final class WhenFilled implements ImageReader.OnImageAvailableListener {
    @Override
    public void onImageAvailable(ImageReader reader) {
      if (stopped) return;
      try (Image image = reader.acquireLatestImage()) {
        if (image != null) listener.onFrame(Frame.of(image, rotationDegrees));
      }
    }
  }

  /** Closes the camera. If it is still being opened, WhenOpened closes it afterwards. */
  private void close() {
    if (opening) return;
    if (device != null) device.close();
    reader.close();
    preview.release();
    thread.quitSafely();
  }

  /** Closes the camera, and waits until the listener has finished its frame. */
  @Override
  public void stop() {
    final CountDownLatch done = new CountDownLatch(1);
    handler.post(
        new Runnable() {
          @Override
          public void run() {
            stopped = true;
            close();
            done.countDown();
          }
        });
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
