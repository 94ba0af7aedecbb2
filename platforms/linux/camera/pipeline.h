// SPDX-License-Identifier: Apache-2.0
// Captures and classifies frames at the same time. If the model is too slow, older frames are skipped.
//
//     capture thread     Next ──> | newest | ──┐ a skipped frame is given back and counted
//     caller's thread                          └──> SetImage ──> Run ──> smooth ──> Decision ──> GiveBack
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "platforms/linux/camera/level_control.h"
#include "platforms/linux/camera/sources/source.h"

namespace vitrine {

struct PipelineOptions {
  bool every_frame = false;  ///< skip none: the source waits
  int fps = 0;               ///< maximum frame rate; 0: no limit
  float smooth = 1;          ///< weight of the newest frame in the probabilities, (0, 1]
  int64_t frames = 0;        ///< stop after this many decisions; 0: when the source ends
  /// Returns whether the next frame needs an attention map. Null: never.
  std::function<bool()> wants_attention = {};
};

/// The result for a frame. Views are valid during the callback.
struct Decision {
  const Frame& frame;
  std::span<const float> probabilities;  ///< smoothed
  double latency_ms;                     ///< from the frame's time to now
  double fps;                            ///< decisions per second, averaged over about one second
  int64_t number;                        ///< counted from 0
  int64_t dropped;                       ///< skipped frames since the start
  int64_t damaged;                       ///< unusable frames since the start
  int level;
};

/// Runs a session on the frames of a source. Does not allocate once the first frames have arrived.
class Pipeline {
 public:
  using Callback = std::function<void(const Decision&)>;

  /// All arguments must outlive the pipeline. If `levels` is null, the session's level stays.
  Pipeline(FrameSource* source, Session* session, LevelControl* levels, const PipelineOptions& options);

  /// Runs until the source ends or enough decisions are made. Calls `decide` after each frame, on the caller's thread.
  /// Calls `stop` once, to make the source's Next() return. Throws what the source or `decide` throws.
  void Run(const Callback& decide, const std::function<void()>& stop);

  int64_t decided() const { return decided_; }
  int64_t dropped() const;
  int64_t damaged() const;

 private:
  void Capture();
  void CaptureFrames();
  void Offer(const Frame& frame);
  bool TakeNewest(Frame* frame);
  bool Infer(const Frame& frame);
  bool IsEarly(const Frame& frame);
  void CountDamaged(const char* reason);
  void DecideFrames(const Callback& decide);
  void Smooth();
  void ChangeLevel(int level);

  FrameSource* source_;
  Session* session_;
  LevelControl* levels_;
  PipelineOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Frame newest_;
  bool has_newest_ = false, ended_ = false, stopping_ = false;
  int64_t dropped_ = 0, damaged_ = 0;
  std::string failure_;              // the error that ended the capture thread
  FrameClock::time_point due_ = {};  // when the next frame is due
  const char* noticed_[4] = {};      // kinds of damage already reported

  int64_t decided_ = 0;
  std::vector<float> probabilities_, smoothed_;
  FrameClock::time_point last_ = {};
  double period_ms_ = 0;
};

}  // namespace vitrine
