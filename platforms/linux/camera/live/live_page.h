// SPDX-License-Identifier: Apache-2.0
// --listen: the live page and the addresses that it is made of.
//
//     /                the page             /snapshot.jpg   the newest frame
//     /api/last        the last decision    /api/heatmap    where the model looked
//     /metrics         for Prometheus
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/linux/camera/live/live_state.h"
#include "platforms/linux/camera/live/server.h"
#include "platforms/linux/camera/live/snapshot.h"
#include "platforms/linux/camera/pipeline.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace vitrine {

class LiveServer;

/// A file of page/, which embed.cmake compiles into the program.
struct PageFile {
  std::string_view path;  ///< as browsers request it: "/page.js"
  std::string_view type;
  std::string_view bytes;
};

/// Returns all of them.
std::span<const PageFile> PageFiles();

struct LivePageOptions {
  std::string listen;      ///< "127.0.0.1:8080"
  std::string token_file;  ///< empty: a random token, unless only this machine can connect
};

/// Serves the page from construction to destruction. Readers cost the pipeline one copy of a frame, and only while
/// somebody watches; the pipeline never waits for readers.
class LivePage {
 public:
  /// Prints the address on stderr. `has_attention` means that the pipeline asks WantsAttention(). `session`, `source` and
  /// `pipeline` must outlive the page. Throws Failure when it cannot listen.
  LivePage(const LivePageOptions& options, bool has_attention, const Model& model, const Session& session,
           const FrameSource& source, const Pipeline& pipeline);
  ~LivePage();

  /// Called from the pipeline's thread for each decision.
  void Publish(const Decision& decision);
  bool WantsAttention() const { return state_.WantsAttention(); }

 private:
  void Answer(const httplib::Request& request, httplib::Response& response);
  bool Permit(const httplib::Request& request, httplib::Response& response) const;
  void AnswerSnapshot(httplib::Response& response);
  void AnswerHeatmap(httplib::Response& response);
  LiveStatus Status() const;

  const bool has_attention_;
  const FrameSource& source_;
  const Pipeline& pipeline_;
  const FrameClock::time_point start_ = FrameClock::now();
  std::vector<std::string> labels_;
  LiveState state_;
  Snapshots snapshots_;
  ListenAddress address_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<LiveServer> server_;  // the last member: its threads use the others
};

}  // namespace vitrine
