// SPDX-License-Identifier: Apache-2.0
// vitrine bench: how long an inference takes on this machine, operator by operator.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/measure.h"
#include "platforms/linux/cli/output.h"

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;

struct Options : CommonOptions {
  int warmup_runs = 3, runs = 30;
  double minutes = 0;  // measure for this time instead of `runs`
  bool profile = false;
  std::string csv;
};

/// One measured inference.
struct Run {
  double seconds;  // since the first
  double latency_ms;
};

/// The latencies of a stretch of time, and the machine at its end.
struct Stretch {
  double seconds;  // at its end
  size_t runs;
  double p50, p99;
  Thermal thermal;
};

struct Measured {
  double load_ms = 0, first_ms = 0;
  std::vector<Run> runs;
  Latencies latencies;              // of the runs
  std::vector<Stretch> stretches;   // of a sustained measurement
  std::vector<double> operator_us;  // mean over the counted runs
  size_t arena_bytes = 0, packed_bytes = 0, loaded_bytes = 0;
  int threads = 0;
};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

/// Adds up the time between operators.
struct Stopwatch {
  std::vector<double>& operator_us;
  Clock::time_point last = {};

  static void After(void* context, int index) {
    Stopwatch& watch = *static_cast<Stopwatch*>(context);
    const Clock::time_point now = Clock::now();
    watch.operator_us[static_cast<size_t>(index)] += 1000 * Milliseconds(now - watch.last);
    watch.last = Clock::now();
  }
};

/// Fills the input with a gray gradient: latency does not depend on the picture.
void FillInput(std::span<uint8_t> input) {
  for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<uint8_t>(i * 255 / input.size());
}

/// Returns milliseconds. `watch` measures the operators, if it is not null.
double RunOnce(Session& session, Stopwatch* watch = nullptr) {
  FillInput(session.input());
  const auto start = Clock::now();
  if (watch != nullptr) watch->last = start;
  OrFail(session.Run(watch != nullptr ? Observer{Stopwatch::After, watch} : Observer{}));
  return Milliseconds(Clock::now() - start);
}

Stretch Summarize(const std::vector<Run>& runs, size_t first) {
  Latencies latencies;
  for (size_t i = first; i < runs.size(); ++i) latencies.Add(runs[i].latency_ms);
  return {runs.back().seconds, latencies.count(), latencies.Percentile(50), latencies.Percentile(99),
          ReadThermal()};
}

void PrintStretch(const Stretch& stretch) {
  std::printf("  %7.0f s  %6zu runs  p50 %8.2f ms  p99 %8.2f ms", stretch.seconds, stretch.runs, stretch.p50,
              stretch.p99);
  if (stretch.thermal.celsius) std::printf("  %5.1f C", *stretch.thermal.celsius);
  if (stretch.thermal.megahertz) std::printf("  %5.0f MHz", *stretch.thermal.megahertz);
  std::printf("\n");
  std::fflush(stdout);
}

/// Measures sixty stretches of time, none shorter than a second.
void MeasureSustained(const Options& options, Session& session, Measured* m) {
  const double total = 60 * options.minutes, length = std::max(1.0, total / 60);
  const auto start = Clock::now();
  size_t first = 0;
  for (double seconds = 0; seconds < total;) {
    const double ms = RunOnce(session);
    seconds = Milliseconds(Clock::now() - start) / 1000;
    m->runs.push_back({seconds, ms});
    if (seconds < length * static_cast<double>(m->stretches.size() + 1) && seconds < total) continue;
    m->stretches.push_back(Summarize(m->runs, first));
    first = m->runs.size();
    if (!options.json) PrintStretch(m->stretches.back());
  }
}

void MeasureRuns(const Options& options, Session& session, Measured* m) {
  Progress bar(!options.json);
  const auto start = Clock::now();
  for (int i = 0; i < options.runs; ++i) {
    Stopwatch watch{m->operator_us};
    const double ms = RunOnce(session, options.profile ? &watch : nullptr);
    m->runs.push_back({Milliseconds(Clock::now() - start) / 1000, ms});
    bar.Show("running", static_cast<double>(i + 1) / options.runs);
  }
  for (double& us : m->operator_us) us /= options.runs;
}

Measured Measure(const Options& options, const Model& model) {
  Measured m;
  const auto start = Clock::now();
  Session session = options.CreateSession(model);
  m.load_ms += Milliseconds(Clock::now() - start);
  m.loaded_bytes = ResidentBytes("VmRSS:");
  if (!options.json) {
    std::printf("%s on %s\n", options.model.c_str(), CpuName().c_str());
    std::fflush(stdout);
  }
  m.arena_bytes = session.arena_bytes();
  m.packed_bytes = session.packed_bytes();
  m.threads = session.thread_count();
  m.operator_us.resize(options.OperatorsOf(model).size());
  {
    Progress bar(!options.json);
    for (int i = 0; i < options.warmup_runs; ++i) {
      const double ms = RunOnce(session);
      if (i == 0) m.first_ms = ms;
      bar.Show("warming up", static_cast<double>(i + 1) / options.warmup_runs);
    }
  }
  if (options.minutes > 0) {
    MeasureSustained(options, session, &m);
  } else {
    MeasureRuns(options, session, &m);
  }
  if (options.warmup_runs == 0) m.first_ms = m.runs.front().latency_ms;
  for (const Run& run : m.runs) m.latencies.Add(run.latency_ms);
  return m;
}

void WriteCsv(const std::string& path, const Measured& m) {
  std::ostringstream table;
  table << "run,seconds,latency_ms\n";
  for (size_t i = 0; i < m.runs.size(); ++i)
    table << i << "," << m.runs[i].seconds << "," << m.runs[i].latency_ms << "\n";
  WriteWholeFile(table.str(), path);
}

nlohmann::json OrNull(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

void PrintJson(const Model& model, const Options& options, const Measured& m) {
  nlohmann::ordered_json json = {{"threads", m.threads},
                                 {"runs", m.latencies.count()},
                                 {"latency_ms", m.latencies.AsJson()},
                                 {"load_ms", m.load_ms},
                                 {"first_ms", m.first_ms},
                                 {"loaded_rss_bytes", m.loaded_bytes},
                                 {"peak_rss_bytes", ResidentBytes("VmHWM:")},
                                 {"arena_bytes", m.arena_bytes},
                                 {"packed_bytes", m.packed_bytes},
                                 {"cpu", CpuName()}};
  if (options.profile) {
    json["ops"] = nlohmann::ordered_json::array();
    for (size_t i = 0; i < m.operator_us.size(); ++i) {
      const OperatorInfo& op = options.OperatorsOf(model)[i];
      json["ops"].push_back({{"name", op.name},
                             {"kind", op.kind},
                             {"type", op.type},
                             {"us", m.operator_us[i]},
                             {"macs", op.macs}});
    }
  }
  for (const Stretch& stretch : m.stretches) {
    json["sustained"].push_back({{"seconds", stretch.seconds},
                                 {"runs", stretch.runs},
                                 {"p50", stretch.p50},
                                 {"p99", stretch.p99},
                                 {"celsius", OrNull(stretch.thermal.celsius)},
                                 {"megahertz", OrNull(stretch.thermal.megahertz)}});
  }
  PrintJsonLine(json);
}

/// Prints the time by kind of operator, most first.
void PrintKinds(std::span<const OperatorInfo> operators, const Measured& m, double total) {
  std::printf("\n  %-26s %9s %7s\n", "kind", "us", "share");
  for (const auto& [us, kind] : SumByKind(operators, m.operator_us))
    std::printf("  %-26s %9.1f %5.1f%%\n", kind.c_str(), us, 100 * us / total);
}

void PrintProfile(std::span<const OperatorInfo> operators, const Measured& m) {
  double total = 0;
  for (const double us : m.operator_us) total += us;
  std::printf("\n  %-26s %-13s %-14s %9s %7s %9s\n", "operator", "kind", "type", "us", "share", "GMAC/s");
  for (size_t i = 0; i < m.operator_us.size(); ++i) {
    const OperatorInfo& op = operators[i];
    const double us = m.operator_us[i];
    std::printf("  %-26s %-13s %-14s %9.1f %5.1f%% ", Printable(op.name).c_str(), op.kind, op.type, us,
                100 * us / total);
    if (op.macs > 0) std::printf("%9.1f", static_cast<double>(op.macs) / us / 1000);
    std::printf("\n");
  }
  PrintKinds(operators, m, total);
}

void Bench(const Options& options) {
  if (!options.csv.empty()) CheckOutput(options.csv, {options.model});
  const auto start = Clock::now();
  const Model model = OrFail(Model::Open(options.model.c_str()));
  const double open_ms = Milliseconds(Clock::now() - start);
  Measured m = Measure(options, model);
  m.load_ms += open_ms;
  if (!options.csv.empty()) WriteCsv(options.csv, m);
  if (options.json) return PrintJson(model, options, m);
  std::printf("  threads   %d\n", m.threads);
  const double megabyte = 1e6;
  std::printf("  latency   %s  (%zu runs, the first %.2f ms)\n", m.latencies.AsText().c_str(),
              m.latencies.count(), m.first_ms);
  std::printf("  load      %.1f ms\n", m.load_ms);
  std::printf(
      "  memory    arena %.2f MB, packed weights %.2f MB, resident after loading %.1f MB, at most "
      "%.1f MB\n",
      static_cast<double>(m.arena_bytes) / megabyte, static_cast<double>(m.packed_bytes) / megabyte,
      static_cast<double>(m.loaded_bytes) / megabyte,
      static_cast<double>(ResidentBytes("VmHWM:")) / megabyte);
  if (options.profile) PrintProfile(options.OperatorsOf(model), m);
}

void Declare(CLI::App& command, int*) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  options->DeclarePacked(command);
  command.add_option("--warmup-runs", options->warmup_runs, "Inferences before the measured ones")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  command.add_option("--num-runs", options->runs, "Inferences to measure")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  CLI::Option* profile =
      command.add_flag("--profile", options->profile, "Also print the time of each operator");
  command
      .add_option("--minutes", options->minutes,
                  "Run for N minutes instead, and show latency, temperature and clock as they change")
      ->check(CLI::Range(0.001, 100'000.0))
      ->type_name("N")
      ->excludes(profile);
  command.add_option("--csv", options->csv, "Write the time of each inference to this file")
      ->type_name("FILE");
  command.callback([options] { Bench(*options); });
}

}  // namespace

extern const Command kBench;
const Command kBench = {"bench", "Measure latency and memory on this machine", Declare};

}  // namespace vitrine
