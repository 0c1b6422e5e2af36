#pragma once
// A loaded model and its verbs: one copy of the weights that samples, learns, scores and is saved. Calls come one at a
// time, from the engine thread. Knows Backbone and no backbone.
#include <memory>

#include "engine/cpu_decoder.h"
#include "engine/device_rollout.h"
#include "engine/loss.h"
#include "engine/optimizer.h"
#include "engine/rollout.h"
#include "io/tensor_file.h"

namespace mstar {

enum class Head { none, mean, load };

struct ModelSpec {
  std::string backbone;
  std::map<std::string, double> config;
  std::vector<WeightFile> weights;
  std::string device = "cpu", dtype = "float32";
  int threads = 1;
  Head head = Head::none;
  std::optional<uint64_t> random;  // seed of weights that are drawn on the device instead of read: for benchmarks
  bool device_decode = false;      // decode by LibTorch operations even where the packed CPU path could
  bool deterministic = false;      // device decoding in batches of one size
  int64_t kv_bytes = 0;            // that keys and values may take; 0: half of what is free, 70 % on a GPU
};

class Model {
 public:
  explicit Model(const ModelSpec& spec, const StopFlag& stop = nullptr);

  RolloutResult rollout(const std::vector<RolloutRequest>& requests, const Sampling& sampling,
                        const RolloutHooks& hooks, const StopFlag& stop);
  std::vector<std::vector<float>> logprobs(const std::vector<Example>& examples, const StopFlag& stop) const;
  /** Scores at the given response-token indices. */
  std::vector<std::vector<float>> score(const std::vector<Example>& examples,
                                        const std::vector<std::vector<uint32_t>>& at, const StopFlag& stop) const;
  void set_optimizer(const OptimizerSettings& settings);
  StepReport train_step(const std::vector<Example>& batch, Objective objective, const StopFlag& stop);
  void save(const std::vector<SaveFile>& files) const;
  void restore(const std::vector<WeightFile>& files, int64_t version);
  Stages inspect(const Example& example) const;
  std::pair<double, Stages> gradients(const std::vector<Example>& batch, Objective objective,
                                      const StopFlag& stop) const;

  const Backbone& backbone() const { return *backbone_; }
  const Parameters& parameters() const { return parameters_; }
  int64_t version() const { return optimizer_ ? optimizer_->steps() : 0; }

 private:
  LossContext context() const;
  at::Tensor moment(const std::string& name) const;  // by its name in checkpoints; undefined for other names
  void forget_decoders();
  void draw_weights(uint64_t seed);
  void check_head(bool wanted) const;

  std::unique_ptr<Backbone> backbone_;
  Parameters parameters_;
  int threads_;
  bool device_decode_;  // decode with DeviceDecoder; CpuDecoder knows the CPU only
  int64_t token_budget_ = 8192;
  std::unique_ptr<Optimizer> optimizer_;
  bool deterministic_;
  int64_t kv_bytes_;
  BlockPool pool_;
  PromptCache prompts_;                  // after the pool that its blocks go back to
  std::unique_ptr<CpuDecoder> decoder_;  // packed weights of the present version; none after a change
  std::unique_ptr<DeviceDecoder> device_decoder_;
};

}  // namespace mstar
