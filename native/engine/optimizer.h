#pragma once
// AdamW with decoupled decay on matrices only, gradient clipping and a constant learning rate after linear warm-up.
// A bfloat16 weight is the high half of a float32 master copy; the low half is kept here, so that small updates add up.
// Its state (moments, low halves, step counter) lives as long as the model, so that it survives from one iteration to
// the next. Of several ranks each keeps the state of the parts it owns, steps them, and gets the others' weights.
#include "engine/exchange.h"
#include "engine/types.h"

namespace mstar {

class Optimizer {
 public:
  Optimizer(const Parameters& parameters, OptimizerSettings settings, std::shared_ptr<Group> group = nullptr,
            ExchangeSizes sizes = {});
  const OptimizerSettings& settings() const { return settings_; }
  /** Names of the parameters that learn, in registration order. */
  const std::vector<std::string>& trained() const { return trained_; }
  /** lr of the next step: lr * min(1, (steps + 1) / warmup_steps). */
  double next_lr() const;
  /** What ranks exchange about `trained()`; all that is called below but for the accessors all of them call. */
  const Exchange& exchange() const { return exchange_; }
  /** One step; the sums stand in the order of `trained()`. Returns the L2 norm before clipping. */
  double step(const Parameters& parameters, GradientSums& sums);
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  /** First or second moment of a parameter, flat, on rank 0; undefined on other ranks. */
  at::Tensor moment(const std::string& parameter, bool second) const;
  /** Where this rank keeps its part of a moment, and which part that is. Throws when the parameter does not learn. */
  std::pair<at::Tensor, Span> own_moment(const std::string& parameter, bool second) const;
  /** The float32 value of a parameter, flat, on rank 0: the parameter itself where it is float32 or does not learn. */
  at::Tensor master(const std::string& parameter, const at::Tensor& value) const;
  /** Sets a parameter and this rank's part of its low half from a float32 value. */
  void set_master(const std::string& parameter, const at::Tensor& value, const at::Tensor& master);

 private:
  /** Of one parameter, the parts that this rank owns; flat. */
  struct State {
    at::Tensor first, second;
    at::Tensor low;  // int16, where the parameter is bfloat16
  };
  size_t index_of(const std::string& parameter) const;  // among `trained_`; throws when it does not learn
  void update(State& state, const at::Tensor& value, const at::Tensor& grad, double lr, double decay);
  void update_halves(State& state, const at::Tensor& value, const at::Tensor& grad, double lr, double decay);

  OptimizerSettings settings_;
  std::vector<std::string> trained_;
  std::map<std::string, size_t> index_;
  Exchange exchange_;
  std::vector<State> states_;  // in the order of `trained_`
  int64_t steps_ = 0;
};

}  // namespace mstar
