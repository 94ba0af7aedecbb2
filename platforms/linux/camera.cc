// SPDX-License-Identifier: Apache-2.0
// vitrine camera: classifies the frames of a camera as they come.
#include <unistd.h>

#include <memory>

#include "platforms/linux/camera/decision.h"
#include "platforms/linux/camera/live/live_page.h"
#include "platforms/linux/camera/pipeline.h"
#include "platforms/linux/camera/stop.h"
#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/measure.h"
#include "platforms/linux/photos/classes.h"

namespace vitrine {
namespace {

struct Options : CommonOptions {
  std::string device = "/dev/video0", libcamera, stdin_format, folder, size = "640x480", format, on, exec;
  int fps = 0;
  int64_t frames = 0;
  float smooth = 1, threshold = 0;
  LivePageOptions live;
  bool every_frame = false, has_level = false, has_libcamera = false;
};

std::unique_ptr<FrameSource> OpenSource(const Options& options, int stop_event) {
  if (!options.folder.empty()) return OpenFolder(options.folder, options.fps, stop_event);
  if (!options.stdin_format.empty()) return OpenPipe(STDIN_FILENO, options.stdin_format, stop_event);
  CameraWish wish = {.fps = options.fps, .format = options.format};
  if (std::sscanf(options.size.c_str(), "%dx%d", &wish.width, &wish.height) != 2 || wish.width < 1 ||
      wish.height < 1)
    throw WrongValue("--size " + options.size + ": expected WIDTHxHEIGHT, such as 640x480");
  if (options.has_libcamera) return OpenLibcamera(options.libcamera, wish, stop_event);
  return OpenV4l2(options.device, wish, stop_event);
}

int ClassNamed(const Model& model, size_t class_count, const std::string& name) {
  for (size_t i = 0; i < class_count; ++i) {
    if (LabelOf(model, static_cast<int>(i)) == name || std::to_string(i) == name) return static_cast<int>(i);
  }
  throw WrongValue("--on " + name + ": the model has no such class; vitrine inspect lists the classes");
}

/// Creates a session with an attention map if the live page can show it and the model has patches.
Session CreateSession(const Options& options, const Model& model, bool* can_attend) {
  *can_attend = !options.live.listen.empty();
  try {
    return options.CreateSession(model, {.attention_map = *can_attend});
  } catch (const Failure&) {
    if (!*can_attend) throw;
    *can_attend = false;
    return options.CreateSession(model);
  }
}

void Camera(const Options& options) {
  const Stop stop;
  const Model model = OrFail(Model::Open(options.model.c_str()));
  bool can_attend = false;
  Session session = CreateSession(options, model, &can_attend);
  const size_t class_count = session.logits().size();
  if (class_count == 0) throw Failure(options.model + ": has no classifier");
  Trigger trigger(options.exec.empty() ? -2 : ClassNamed(model, class_count, options.on), options.exec);
  const std::unique_ptr<FrameSource> source = OpenSource(options, stop.event());
  LevelControl levels(static_cast<int>(model.levels().size()), [] { return ReadThermal().celsius; });
  const LivePage* reader = nullptr;
  std::function<bool()> wants_attention;
  if (can_attend) wants_attention = [&reader] { return reader->WantsAttention(); };
  Pipeline pipeline(
      source.get(), &session, options.has_level ? nullptr : &levels,
      {.every_frame = options.every_frame,
       .fps = options.every_frame || !options.folder.empty() ? 0 : options.fps,  // a folder keeps to it
       .smooth = options.smooth,
       .frames = options.frames,
       .wants_attention = wants_attention});
  DecisionWriter writer(model, class_count, options.threshold, options.json);
  std::unique_ptr<LivePage> page;  // ends before the pipeline, which its threads ask
  if (!options.live.listen.empty()) {
    page = std::make_unique<LivePage>(options.live, can_attend, model, session, *source, pipeline);
    reader = page.get();
  }
  pipeline.Run(
      [&](const Decision& decision) {
        trigger.See(writer.Write(decision));
        if (page != nullptr) page->Publish(decision);
      },
      Stop::Request);
  if (pipeline.decided() == 0 && !Stop::has_signal()) {
    throw Failure(pipeline.damaged() == 0
                      ? "no frame arrived"
                      : "all " + std::to_string(pipeline.damaged()) + " frames were damaged");
  }
  if (!options.json) {
    std::printf("%lld %s, %lld dropped, %lld damaged\n", static_cast<long long>(pipeline.decided()),
                pipeline.decided() == 1 ? "frame" : "frames", static_cast<long long>(pipeline.dropped()),
                static_cast<long long>(pipeline.damaged()));
  }
}

void DeclareSources(CLI::App* command, Options* options) {
  CLI::Option* device = command->add_option("--device", options->device, "A V4L2 camera")->type_name("PATH");
  device->capture_default_str();
  CLI::Option* libcamera = command->add_option("--libcamera", options->libcamera,
                                               "A camera of libcamera, such as the Raspberry Pi's: its "
                                               "number or part of its name (default: the first)");
  libcamera->type_name("[ID]")->expected(0, 1)->excludes(device);
  CLI::Option* pipe =
      command->add_option("--stdin", options->stdin_format,
                          "Read frames from a pipe: y4m, mjpeg, or raw such as 640x480:i420 (yuyv, nv12, "
                          "i420, rgb24, bgr24, gray)");
  pipe->type_name("FORMAT")->excludes(device)->excludes(libcamera);
  command
      ->add_option("--source", options->folder, "Show the photos of a folder in a loop instead of a camera")
      ->type_name("DIR")
      ->excludes(device)
      ->excludes(libcamera)
      ->excludes(pipe);
  command
      ->add_option("--size", options->size,
                   "Picture size to ask the camera for, in pixels; it uses the nearest size it has")
      ->capture_default_str()
      ->type_name("WxH");
  command
      ->add_option("--format", options->format,
                   "Pixel format to ask the camera for. Default: the one that is fastest to read. For large "
                   "pictures at the "
                   "full frame rate, mjpeg is often needed")
      ->check(CLI::IsMember({"yuyv", "nv12", "i420", "rgb24", "bgr24", "mjpeg", "gray"}))
      ->type_name("NAME");
  command->add_option("--fps", options->fps, "Maximum frame rate; 0: no limit")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000))
      ->type_name("N");
  command
      ->add_option("--frames", options->frames,
                   "Stop after N frames have been classified; 0: when the frames end")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 62))
      ->type_name("N");
  command->add_flag("--every-frame", options->every_frame,
                    "Classify every frame; the pipe waits. Default: if the model is too slow, frames are "
                    "skipped and counted");
}

void DeclareDecisions(CLI::App* command, Options* options) {
  command
      ->add_option("--smooth", options->smooth,
                   "Smooth probabilities over time: weight of the newest frame, above 0 to 1 (1: no "
                   "smoothing, 0.3: steady)")
      ->capture_default_str()
      ->check(CLI::Range(0.001f, 1.0f))
      ->type_name("ALPHA");
  command
      ->add_option("--threshold", options->threshold,
                   "Report a class only if its probability is at least P (0 to 1)")
      ->capture_default_str()
      ->check(CLI::Range(0.0f, 1.0f))
      ->type_name("P");
  CLI::Option* on = command->add_option("--on", options->on, "Class that starts --exec, by label or number");
  on->type_name("CLASS");
  CLI::Option* exec =
      command->add_option("--exec", options->exec,
                          "Shell command to run when the class of --on comes into view; never two at a time");
  exec->type_name("CMD")->needs(on);
  on->needs(exec);
}

void DeclareLivePage(CLI::App* command, LivePageOptions* live) {
  CLI::Option* listen = command->add_option(
      "--listen", live->listen,
      "Show a live page at this address, such as 127.0.0.1:8080; port 0: any free port. If other machines "
      "can "
      "reach the address, such as 0.0.0.0:8080, the page needs the token that is printed at the start");
  listen->type_name("ADDR:PORT")->check([](const std::string& text) -> std::string {
    try {
      ParseListenAddress(text);
    } catch (const Failure& wrong) {
      return wrong.what();
    }
    return "";
  });
  command
      ->add_option("--token-file", live->token_file,
                   "File with the token for --listen: one line of 16 to 128 letters and digits. Default: a "
                   "random token. With "
                   "this option a loopback address needs the token too")
      ->needs(listen)
      ->type_name("FILE");
}

void Declare(CLI::App& command, int*) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  options->DeclarePacked(command);
  DeclareSources(&command, options.get());
  DeclareDecisions(&command, options.get());
  DeclareLivePage(&command, &options->live);
  CLI::Option* level = command.get_option("--level");
  level->description(
      "Fixed level of a model that merges tokens. Default: faster levels while frames come late or the CPU "
      "is "
      "hot");
  level->default_str("");
  const CLI::Option* libcamera = command.get_option("--libcamera");
  command.callback([options, level, libcamera] {
    options->has_libcamera = libcamera->count() > 0;
    options->has_level = level->count() > 0;
    Camera(*options);
  });
}

}  // namespace

extern const Command kCamera;
const Command kCamera = {"camera", "Classify what a camera sees, live", Declare};

}  // namespace vitrine
