// SPDX-License-Identifier: Apache-2.0
// Frames from a pipe: `rpicam-vid ... -o - | vitrine camera MODEL.vit --stdin 640x480:i420`.
#include "platforms/linux/camera/sources/stream_parsers.h"
#include "platforms/linux/cli/failure.h"

namespace vitrine {
namespace {

class PipeSource final : public FrameSource {
 public:
  PipeSource(int descriptor, std::unique_ptr<StreamParser> parser, int stop)
      : stream_(descriptor, stop), parser_(std::move(parser)) {}

  Arrival Next(Frame* frame) override {
    const int slot = slots_.Take();
    const Arrival arrival = parser_->Next(&stream_, &slots_.bytes(slot), frame, &reason_);
    if (arrival != Arrival::kFrame) {
      slots_.GiveBack(slot);
      return arrival;
    }
    frame->slot = slot;
    frame->pixels = slots_.bytes(slot).data();
    frame->time = FrameClock::now();
    return arrival;
  }

  void GiveBack(const Frame& frame) override { slots_.GiveBack(frame.slot); }

 private:
  ByteStream stream_;
  std::unique_ptr<StreamParser> parser_;
  Slots slots_;
};

}  // namespace

std::unique_ptr<FrameSource> OpenPipe(int descriptor, const std::string& format, int stop) {
  std::unique_ptr<StreamParser> parser = ParserNamed(format);
  if (parser == nullptr)
    throw WrongValue("--stdin " + format +
                     ": expected y4m, mjpeg, or a size and format such as 640x480:i420");
  return std::make_unique<PipeSource>(descriptor, std::move(parser), stop);
}

}  // namespace vitrine
