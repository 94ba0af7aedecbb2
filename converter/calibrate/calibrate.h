// SPDX-License-Identifier: Apache-2.0
// Calibration: the model in f32 on photos, and what follows from it for the plan.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/calibrate/layer_trial.h"
#include "converter/calibrate/row_samples.h"
#include "converter/measure/check_images.h"
#include "converter/measure/reference.h"

namespace vitrine {

/// What makes few bits hold, each on its own.
struct CalibrationOptions {
  bool smooth = true;  ///< outlying columns of activations move into the weights
  bool tables = true;  ///< activation functions by a table between static layers
  /// 4-bit weights are rounded so that outputs are nearest, not the weights.
  bool compensate_rounding = true;
  std::optional<RangeObserver> observer;  ///< none: the one that loses least, tensor by tensor
};

/// Runs a model segment by segment over images and plans each segment's linear layers. Holds the tokens of
/// all images and about a thousand rows of each tensor of one segment.
class Calibrator {
 public:
  /// `vit` must outlive this object.
  Calibrator(const Vit& vit, const CheckImages& images, const CalibrationOptions& options, int threads);

  /// The tokens, and at the end the outputs, of the segments that have run.
  const Reference& reference() const { return reference_; }
  bool done() const { return reference_.done(); }

  /// What is known of a tensor that linear layers read.
  struct Rows {
    int64_t macs = 0;          ///< of those layers
    double dynamic_share = 1;  ///< what they lose in dynamic int8, of what they lose in static int8
  };
  /// By the tensor's name, of the segments that have run.
  const std::map<std::string, Rows>& rows() const { return rows_; }

  /// Runs the next segment and puts its tensors into the plan. Grams of the segment before are dropped.
  /// `progress` is told the fraction of the segment that is done.
  void PlanNext(Plan* plan, const std::function<void(double)>& progress);

 private:
  /// The layers that read one tensor.
  struct Readers {
    RowSamples samples;
    int64_t rows;               ///< of an image
    std::vector<float> weight;  ///< of all of them, one below the other
  };
  /// What a table reads.
  struct Hidden {
    Segment::Table table;
    RowSamples samples;
  };

  void Prepare(const Segment& segment, bool is_static);
  void Follow(const Segment& segment, size_t image, int op);
  void PlanRows(const std::string& name, const Readers& readers, Plan* plan);
  /// Returns the factors of least loss, which the trial then has; none where the rows are best as they are.
  std::vector<float> Smooth(LayerTrial* trial) const;
  TensorPlan BestRange(const LayerTrial& trial) const;

  const VitConfig& config_;
  const CalibrationOptions options_;
  const size_t images_;
  Reference reference_;
  std::map<std::string, Readers> readers_;  ///< of the segment that runs, by the tensor's name
  std::map<std::string, Hidden> hidden_;
  std::map<std::string, Rows> rows_;
  std::vector<float> values_;  ///< of an operator
};

}  // namespace vitrine
