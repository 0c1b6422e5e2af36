#pragma once
// AdamW with decoupled decay on matrices only, gradient clipping and a constant learning rate after linear warm-up.
// A bfloat16 weight is the high half of a float32 master copy; the low half is kept here, so that small updates add up.
// Its state (moments, low halves, step counter) lives as long as the model, so that it survives from one iteration to
// the next; where a GPU has no room for it, in the memory of the machine. Of several ranks each keeps the state of the
// parts it owns, steps them, and gets the others' weights.
#include "engine/adamw.h"
#include "engine/exchange.h"
#include "engine/types.h"

namespace mstar {

/** A tensor of moments as checkpoints hold it. */
struct StateTensor {
  std::string name;  // exp_avg, exp_avg_sq or exp_avg_sq_scale, and behind a dot the parameter's
  at::ScalarType type;
  std::vector<int64_t> shape;
};

/** The part of such a tensor that this rank keeps. */
struct OwnState {
  at::Tensor part;
  int64_t from, whole;  // where the part begins among how many numbers
};

/** How moments and low halves are kept. */
struct StateForm {
  bool small_moments = false;  // of matrices, in 3 bytes a number instead of 8 (adamw.h)
  std::optional<bool>
      on_host;  // in the machine's memory, passing through the device in a step; left out: as it has room
};

class Optimizer {
 public:
  Optimizer(const Parameters& parameters, OptimizerSettings settings, const StateForm& form = {},
            std::shared_ptr<Group> group = nullptr, ExchangeSizes sizes = {});
  const OptimizerSettings& settings() const { return settings_; }
  /** Names of the parameters that learn, in registration order. */
  const std::vector<std::string>& trained() const { return trained_; }
  /** lr of the next step: lr * min(1, (steps + 1) / warmup_steps) * min(1, (total_steps - steps) / decay_steps). */
  double next_lr() const;
  /** What ranks exchange about `trained()`; all that is called below but for the accessors all of them call. */
  const Exchange& exchange() const { return exchange_; }
  /** One step; the sums stand in the order of `trained()`. Returns the L2 norm before clipping. */
  double step(const Parameters& parameters, GradientSums& sums);
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  /** All moments, parameter by parameter. */
  std::vector<StateTensor> state(const Parameters& parameters) const;
  /** Whether a name is one of moments, whatever the parameter. */
  static bool names_moment(const std::string& name);
  /** The moment of this name, flat, on rank `to`; undefined on other ranks. Throws where the optimizer keeps none. */
  at::Tensor moment(const std::string& name, int to) const;
  /** Where this rank keeps its part of it. */
  OwnState own_moment(const std::string& name) const;
  /** The float32 value of a parameter, flat, on rank `to`: the parameter itself where it is float32 or does not learn.
   */
  at::Tensor master(const std::string& parameter, const at::Tensor& value, int to) const;
  /** Sets a parameter and this rank's part of its low half from a float32 value. */
  void set_master(const std::string& parameter, const at::Tensor& value, const at::Tensor& master);

 private:
  /** The parameter of a moment, among `trained_`, and the kind of it; throws where the optimizer keeps none. */
  std::pair<size_t, at::Tensor AdamWState::*> find(const std::string& name) const;

  OptimizerSettings settings_;
  std::vector<std::string> trained_;
  std::map<std::string, size_t> index_;
  Exchange exchange_;
  int64_t piece_;  // numbers of a parameter that are stepped at one time
  bool on_host_;
  std::vector<AdamWState> states_;  // of the parts that this rank owns, in the order of `trained_`
  int64_t steps_ = 0;
};

}  // namespace mstar
