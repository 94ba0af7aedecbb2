// SPDX-License-Identifier: Apache-2.0
// Calibration: runs the model in f32 on photos and plans its linear layers from what it sees.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "converter/calibrate/layer_trial.h"
#include "converter/calibrate/observe.h"
#include "converter/measure/check_images.h"
#include "converter/measure/segment.h"

namespace vitrine {

/// The methods that reduce the error of few bits. Each can be switched off.
struct CalibrationOptions {
  bool smooth = true;  ///< move outlying columns of activations into the weights (SmoothQuant)
  bool tables = true;  ///< compute activation functions by a table between static layers
  /// int4: round weights for the smallest error of the layer's outputs (GPTQ).
  bool compensate_rounding = true;
  std::optional<RangeObserver> observer;  ///< none: for each tensor the observer with the smallest error
};

/// Runs a model segment by segment over images and plans each segment's linear layers. Holds the tokens of all images
/// and some hundred rows of each tensor of one segment, or about two thousand for int4.
class Calibrator {
 public:
  /// `vit` must outlive this object.
  Calibrator(const Vit& vit, const CheckImages& images, const CalibrationOptions& options, int threads);

  /// Returns the f32 model; its outputs are the tokens, and at the end the outputs, of the segments that have run.
  const Reference& reference() const { return reference_; }
  bool done() const { return reference_.done(); }

  /// The cost and the error of the linear layers that read a tensor.
  struct Rows {
    int64_t macs = 0;
    double dynamic_share = 1;  ///< the error in dynamic int8 divided by the error in static int8
  };
  /// Returns the tensors of the segments that have run.
  const std::map<Layer, Rows>& rows() const { return rows_; }

  /// Runs the next segment and adds its tensors to the plan. Drops the grams of the segment before. Calls `progress`
  /// with the fraction of the segment that is done; what it throws is thrown again.
  void PlanNext(Plan* plan, const std::function<void(double)>& progress);

 private:
  /// The linear layers that read one tensor.
  struct Readers {
    RowSamples samples;
    int64_t rows;               ///< of an image
    std::vector<float> weight;  ///< of all these layers, one below the other
  };
  /// The tensor that a table reads.
  struct Hidden {
    Segment::Table table;
    RowSamples samples;
  };

  /// Chooses the tensors of a segment to collect: the rows that linear layers read, and those that a table may read.
  void Prepare(const Segment& segment, bool is_static);
  /// Collects the output of operator `op`, if it was chosen.
  void Follow(const Segment& segment, size_t image, int op);
  void PlanRows(const Layer& layer, const Readers& readers, Plan* plan);
  /// Smooths the trial by the factors of smallest error and returns them; none where the rows are best as they are.
  std::vector<float> Smooth(LayerTrial* trial) const;
  TensorPlan BestRange(const LayerTrial& trial) const;

  const VitConfig& config_;
  const CalibrationOptions options_;
  const size_t images_;
  Reference reference_;
  std::map<Layer, Readers> readers_;  ///< of the segment that runs, by the tensor
  std::map<Layer, Hidden> hidden_;    ///< the same
  std::map<Layer, Rows> rows_;
  std::vector<float> values_;  ///< the output of an operator
};

}  // namespace vitrine
