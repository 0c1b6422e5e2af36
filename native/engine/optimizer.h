#pragma once
// AdamW with decoupled decay on matrices only, gradient clipping and a constant learning rate after linear warm-up.
// A bfloat16 weight is the high half of a float32 master copy; the low half is kept here, so that small updates add up.
// Its state (moments, low halves, step counter) lives as long as the model, so that it survives from one iteration to
// the next.
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
  /** The float32 value of a parameter: the parameter itself where it is float32 or does not learn. */
  at::Tensor master(const std::string& parameter, const at::Tensor& value) const;
  /** Sets a parameter and its low half from a float32 value. */
  void set_master(const std::string& parameter, const at::Tensor& value, const at::Tensor& master);

 private:
  void update(const std::string& name, const at::Tensor& value, const at::Tensor& grad, double lr, double decay);
  void update_halves(const std::string& name, const at::Tensor& value, const at::Tensor& grad, double lr, double decay);

  OptimizerSettings settings_;
  std::vector<std::string> trained_;
  std::map<std::string, std::pair<at::Tensor, at::Tensor>> moments_;
  std::map<std::string, at::Tensor> low_;  // int16, of the parameters that are bfloat16
  int64_t steps_ = 0;
};

}  // namespace mstar
