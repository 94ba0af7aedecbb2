// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/pipeline.h"

#include <algorithm>
#include <thread>

#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

double Milliseconds(FrameClock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Pipeline::Pipeline(FrameSource* source, Session* session, LevelControl* levels,
                   const PipelineOptions& options)
    : source_(source),
      session_(session),
      levels_(levels),
      options_(options),
      probabilities_(session->logits().size()),
      smoothed_(probabilities_.size()) {}

int64_t Pipeline::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

int64_t Pipeline::damaged() const {
  const std::lock_guard lock(mutex_);
  return damaged_;
}

/// Counts a damaged frame, and reports each kind of damage once.
void Pipeline::CountDamaged(const char* reason) {
  const std::lock_guard lock(mutex_);
  ++damaged_;
  for (const char*& noticed : noticed_) {
    if (noticed == reason) return;
    if (noticed != nullptr) continue;
    noticed = reason;
    Notice("damaged frame: %s; such frames are skipped and counted", reason);
    return;
  }
}

bool Pipeline::IsEarly(const Frame& frame) {
  if (options_.fps <= 0) return false;
  const auto period = FrameClock::duration(std::chrono::seconds(1)) / options_.fps;
  if (frame.time + period / 8 < due_) return true;  // cameras are less regular than clocks
  due_ = std::max(due_ + period, frame.time);
  return false;
}

/// Makes a frame the newest. It replaces one that was not classified yet.
void Pipeline::Offer(const Frame& frame) {
  Frame late;
  bool is_late = false;
  {
    std::unique_lock lock(mutex_);
    if (options_.every_frame) changed_.wait(lock, [this] { return !has_newest_ || stopping_; });
    if (stopping_ || IsEarly(frame)) {
      late = frame;
      is_late = true;
    } else {
      is_late = has_newest_;
      late = newest_;
      newest_ = frame;
      has_newest_ = true;
    }
    dropped_ += is_late;
  }
  changed_.notify_all();
  if (is_late) source_->GiveBack(late);
}

void Pipeline::CaptureFrames() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    Frame frame;
    switch (source_->Next(&frame)) {
      case Arrival::kFrame:
        Offer(frame);
        break;
      case Arrival::kDamaged:
        CountDamaged(source_->reason());
        break;
      case Arrival::kEnd:
        return;
    }
  }
}

void Pipeline::Capture() {
  std::string failure;
  try {
    CaptureFrames();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    ended_ = true;
  }
  changed_.notify_all();
}

/// Waits for a frame; returns false when there are no more.
bool Pipeline::TakeNewest(Frame* frame) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return has_newest_ || ended_; });
  if (!has_newest_) return false;
  *frame = newest_;
  has_newest_ = false;
  lock.unlock();
  changed_.notify_all();
  return true;
}

void Pipeline::Smooth() {
  Softmax(session_->logits(), probabilities_);
  const float share = decided_ == 0 ? 1 : options_.smooth;
  for (size_t i = 0; i < smoothed_.size(); ++i) smoothed_[i] += share * (probabilities_[i] - smoothed_[i]);
}

/// Returns whether the frame could be used.
bool Pipeline::Infer(const Frame& frame) {
  const Status status = frame.layout.is_jpeg ? session_->SetJpeg({frame.pixels, frame.size})
                                             : session_->SetImage(frame.layout.ViewOf(frame.pixels));
  if (!status.ok()) {
    CountDamaged("cannot be decoded");
    return false;
  }
  if (options_.wants_attention)
    OrFail(
        session_->SetAttentionMap(options_.wants_attention() ? AttentionMap::kRollout : AttentionMap::kNone));
  OrFail(session_->Run());
  return true;
}

void Pipeline::ChangeLevel(int level) {
  const int before = session_->level();
  if (level == before || !session_->SetLevel(level).ok()) return;
  Notice("level %d instead of %d: %s", level, before, levels_->why());
}

void Pipeline::DecideFrames(const Callback& decide) {
  Frame frame;
  while (TakeNewest(&frame)) {
    const auto begin = FrameClock::now();
    if (Infer(frame)) {
      Smooth();
      const auto now = FrameClock::now();
      const double period = decided_ == 0 ? 0 : Milliseconds(now - last_);
      const double share = std::min(1.0, std::max(period / 1000, 1.0 / static_cast<double>(decided_ + 1)));
      period_ms_ += share * (period - period_ms_);
      last_ = now;
      const int64_t lost = dropped(), broken = damaged();
      decide({frame, smoothed_, Milliseconds(now - frame.time), period_ms_ > 0 ? 1000 / period_ms_ : 0,
              decided_, lost, broken, session_->level()});
      ++decided_;
      if (levels_ != nullptr) ChangeLevel(levels_->After(session_->level(), now, now - begin, lost));
    }
    source_->GiveBack(frame);
    if (options_.frames > 0 && decided_ >= options_.frames) return;
  }
}

void Pipeline::Run(const Callback& decide, const std::function<void()>& stop) {
  std::thread capture([this] { Capture(); });
  const auto finish = [&] {
    Frame unseen;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      if (has_newest_) unseen = newest_;
      dropped_ += has_newest_;
      has_newest_ = false;
    }
    changed_.notify_all();
    if (unseen.slot >= 0) source_->GiveBack(unseen);
    stop();
    capture.join();
  };
  try {
    DecideFrames(decide);
  } catch (...) {
    finish();
    throw;
  }
  finish();
  if (!failure_.empty()) throw Failure(failure_);
}

}  // namespace vitrine
