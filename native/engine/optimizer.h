#pragma once
// AdamW with decoupled decay on matrices only, gradient clipping and a constant learning rate after linear warm-up.
// Its state (moments, step counter) lives as long as the model, so that it survives from one iteration to the next.
#include "engine/parameters.h"
#include "engine/types.h"

namespace mstar {

class Optimizer {
 public:
  Optimizer(const Parameters& parameters, OptimizerSettings settings);
  const OptimizerSettings& settings() const { return settings_; }
  /** Names of the parameters that learn, in registration order. */
  const std::vector<std::string>& trained() const { return trained_; }
  /** lr of the next step: lr * min(1, (steps + 1) / warmup_steps). */
  double next_lr() const;
  /** One step; `grads` stands in the order of `trained()`, undefined where there is no gradient. Returns the L2 norm
   * before clipping. */
  double step(const Parameters& parameters, std::vector<at::Tensor>& grads);
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  /** First or second moment of a parameter; throws when it does not learn. */
  const at::Tensor& moment(const std::string& parameter, bool second) const;

 private:
  OptimizerSettings settings_;
  std::vector<std::string> trained_;
  std::map<std::string, std::pair<at::Tensor, at::Tensor>> moments_;
  int64_t steps_ = 0;
};

}  // namespace mstar
