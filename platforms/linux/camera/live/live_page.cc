// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live/live_page.h"

#include <ifaddrs.h>
#include <netdb.h>

#include <nlohmann/json.hpp>

#include "platforms/linux/camera/live/server.h"
#include "platforms/linux/cli/failure.h"
#include "platforms/linux/cli/measure.h"
#include "platforms/linux/photos/classes.h"

namespace vitrine {
namespace {

constexpr const char* kJson = "application/json";

/// Returns an address of this machine that other machines can reach, or "".
std::string ReachableAddress() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return "";
  std::string found;
  for (const ifaddrs* at = list; at != nullptr && found.empty(); at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    char name[NI_MAXHOST];
    if (getnameinfo(at->ifa_addr, sizeof(sockaddr_in), name, sizeof name, nullptr, 0, NI_NUMERICHOST) == 0 &&
        std::string_view(name).substr(0, 4) != "127.")
      found = name;
  }
  freeifaddrs(list);
  return found;
}

std::string UrlOf(const ListenAddress& address, const std::string& token) {
  std::string host = address.is_ipv6 ? "[" + address.host + "]" : address.host;
  if (address.host == "0.0.0.0" || address.host == "::") {
    const std::string reachable = ReachableAddress();
    if (!reachable.empty()) host = reachable;
  }
  return "http://" + host + ":" + std::to_string(address.port) + "/" +
         (token.empty() ? "" : "?token=" + token);
}

void SetHeaders(httplib::Response& response) {
  response.set_header("Cache-Control", "no-store");
  response.set_header("Content-Security-Policy",
                      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
                      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set_header("Cross-Origin-Resource-Policy", "same-origin");
  response.set_header("Referrer-Policy", "no-referrer");  // the address may contain the token
  response.set_header("X-Content-Type-Options", "nosniff");
}

void Refuse(httplib::Response& response, int status, const char* why) {
  response.status = status;
  response.set_content(std::string(why) + "\n", "text/plain; charset=utf-8");
}

}  // namespace

LivePage::LivePage(const LivePageOptions& options, bool has_attention, const Model& model,
                   const Session& session, const FrameSource& source, const Pipeline& pipeline)
    : has_attention_(has_attention), source_(source), pipeline_(pipeline), state_(session) {
  for (size_t i = 0; i < session.logits().size(); ++i) labels_.push_back(LabelOf(model, static_cast<int>(i)));
  address_ = ParseListenAddress(options.listen);
  std::string token;
  if (!options.token_file.empty()) {
    token = ReadToken(options.token_file);
  } else if (!address_.is_loopback) {
    token = MakeToken();
  }
  const int listener = ListenOn(&address_);
  access_ = std::make_unique<Access>(address_, token);
  Notice("the live page is at %s", UrlOf(address_, options.token_file.empty() ? token : "").c_str());
  server_ = std::make_unique<LiveServer>(
      listener,
      [this](const httplib::Request& request, httplib::Response& response) { Answer(request, response); });
}

LivePage::~LivePage() = default;

void LivePage::Publish(const Decision& decision) {
  state_.Publish(decision);
  snapshots_.Offer(decision);
}

LiveStatus LivePage::Status() const {
  LiveStatus status;
  status.report = state_.report();
  status.dropped = pipeline_.dropped();
  status.damaged = pipeline_.damaged();
  status.celsius = ReadThermal().celsius;
  status.has_attention = has_attention_;
  status.is_lost = source_.is_lost();
  if (status.report.frames > 0)
    status.seconds = std::max(0.0, std::chrono::duration<double>(status.report.time - start_).count());
  return status;
}

/// Returns whether the request is permitted, and answers it if not. A token in the address becomes a cookie, which the
/// browser sends with all further requests.
bool LivePage::Permit(const httplib::Request& request, httplib::Response& response) const {
  if (!access_->PermitsHost(request.get_header_value("Host"))) {
    Refuse(response, 403, "this address can be opened as localhost only");
    return false;
  }
  if (!access_->needs_token()) return true;
  if (access_->PermitsToken(access_->TokenOfCookies(request.get_header_value("Cookie")))) return true;
  constexpr std::string_view kBearer = "Bearer ";
  const std::string bearer = request.get_header_value("Authorization");
  if (bearer.starts_with(kBearer) && access_->PermitsToken(bearer.substr(kBearer.size()))) return true;
  if (access_->PermitsToken(request.get_param_value("token"))) {
    response.set_header("Set-Cookie", access_->Cookie());
    return true;
  }
  Refuse(response, 403, "this page needs a token: open the address that vitrine camera printed");
  return false;
}

void LivePage::Answer(const httplib::Request& request, httplib::Response& response) {
  SetHeaders(response);
  if (!Permit(request, response)) return;
  if (request.method != "GET" && request.method != "HEAD") {
    response.set_header("Allow", "GET, HEAD");
    return Refuse(response, 405, "only GET is allowed");
  }
  if (request.path == "/api/last") return response.set_content(FormatLast(Status(), labels_), kJson);
  if (request.path == "/api/heatmap") return AnswerHeatmap(response);
  if (request.path == "/snapshot.jpg") return AnswerSnapshot(response);
  if (request.path == "/metrics") {
    return response.set_content(FormatMetrics(Status(), state_.latencies()),
                                "text/plain; version=0.0.4; charset=utf-8");
  }
  for (const PageFile& file : PageFiles()) {
    if (request.path == file.path)
      return response.set_content(file.bytes.data(), file.bytes.size(), std::string(file.type));
  }
  Refuse(response, 404, "no such page");
}

void LivePage::AnswerSnapshot(httplib::Response& response) {
  const std::shared_ptr<const std::string> jpeg = snapshots_.Newest();
  if (jpeg == nullptr) return Refuse(response, 503, "no frame yet");
  response.set_content(*jpeg, "image/jpeg");
}

void LivePage::AnswerHeatmap(httplib::Response& response) {
  if (!has_attention_) return Refuse(response, 404, "this model has no patches to show");
  const AttentionReport attention = state_.WaitForAttention();
  nlohmann::ordered_json answer = {
      {"frame", attention.frame},
      {"grid", {attention.grid.height, attention.grid.width}},
      {"map", attention.map},
      {"crop", {attention.seen.x, attention.seen.y, attention.seen.width, attention.seen.height}}};
  response.set_content(answer.dump(), kJson);
}

}  // namespace vitrine
