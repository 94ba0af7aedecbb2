// SPDX-License-Identifier: Apache-2.0
// --listen: the page that shows what the camera sees, and what it is made of.
//
//     /                the page             /snapshot.jpg   the newest frame
//     /api/last        the last decision    /api/heatmap    where the model looked
//     /metrics         for Prometheus
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platforms/linux/camera/live/access.h"
#include "platforms/linux/camera/live/live_state.h"
#include "platforms/linux/camera/live/metrics.h"
#include "platforms/linux/camera/pipeline.h"
#include "platforms/linux/camera/live/snapshot.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace vitrine {

class LiveServer;

struct LivePageOptions {
  std::string listen;      ///< "127.0.0.1:8080"
  std::string token_file;  ///< empty: a random token, where not only this machine can ask
};

/// Serves from its construction to its end. Readers take nothing from the pipeline but a copy of a frame
/// while somebody looks; nobody waits for them.
class LivePage {
 public:
  /// Says the address on stderr. `has_attention`: the pipeline heeds WantsAttention(). `session`, `source`
  /// and `pipeline` must outlive the page. Throws Failure when it cannot listen.
  LivePage(const LivePageOptions& options, bool has_attention, const Model& model, const Session& session,
           const FrameSource& source, const Pipeline& pipeline);
  ~LivePage();

  /// From the pipeline's thread.
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
  std::unique_ptr<LiveServer> server_;  // the last: its threads use the rest
};

}  // namespace vitrine
