// SPDX-License-Identifier: Apache-2.0
// Capture and inference at the same time; the newest frame wins.
//
//     capture thread     Next ──> | newest | ──┐ replaced before anybody looked: given back, counted
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
  bool every_frame = false;  ///< drop none: the source waits
  int fps = 0;               ///< frames a second to look at, at most; 0: all
  float smooth = 1;          ///< share of the newest frame in the probabilities, (0, 1]
  int64_t frames = 0;        ///< end after so many decisions; 0: when the source ends
  /// Whether somebody wants to know where the model looks on the next frame; null: nobody ever does.
  std::function<bool()> wants_attention = {};
};

/// What was made of a frame. Views are valid during the callback.
struct Decision {
  const Frame& frame;
  std::span<const float> probabilities;  ///< smoothed
  double latency_ms;                     ///< from the frame's time to now
  double fps;                            ///< decisions a second, over the last second or so
  int64_t number;                        ///< from 0 on
  int64_t dropped;                       ///< frames since the start that nobody looked at
  int64_t damaged;                       ///< and that could not be used
  int level;
};

/// Runs a session on a source's frames. Allocates nothing for a frame once the first have come.
class Pipeline {
 public:
  using Callback = std::function<void(const Decision&)>;

  /// All must outlive the pipeline. `levels` may be null: the session's level stays.
  Pipeline(FrameSource* source, Session* session, LevelControl* levels, const PipelineOptions& options);

  /// Runs until the source ends or enough decisions were made, and calls `decide` after each frame on the
  /// caller's thread. `stop` is called once the source need not go on; its Next() returns soon after. Throws
  /// what the source or `decide` throws.
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
  std::string failure_;              // what the capture thread ended with
  FrameClock::time_point due_ = {};  // of the next frame that is not early
  const char* noticed_[4] = {};      // kinds of damage that were said

  int64_t decided_ = 0;
  std::vector<float> probabilities_, smoothed_;
  FrameClock::time_point last_ = {};
  double period_ms_ = 0;
};

}  // namespace vitrine
