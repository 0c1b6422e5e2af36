#pragma once
// A loaded model and its verbs: one copy of the weights that samples, learns, scores and is saved. Calls come one at a
// time, from the engine thread. Knows Backbone and no backbone.
#include <memory>

#include "distributed/group.h"
#include "engine/loss.h"
#include "engine/optimizer.h"
#include "engine/rollout/rollout.h"
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
  AdapterSpec adapter;
  std::optional<uint64_t> random;      // seed of weights that are drawn on the device instead of read: for benchmarks
  bool tensor_decode = false;          // decode by LibTorch operations even where the packed executor could: for tests
  bool deterministic = false;          // of the tensor executor: batches of one size
  int64_t kv_bytes = 0;                // that keys and values may take; 0: half of what is free, 70 % on a GPU
  int64_t token_budget = 8192;         // tokens of a micro-batch of training and scoring
  std::optional<Recompute> recompute;  // what a backward runs again; left out: as memory tells. Changes no bit
  std::optional<bool> offload;  // the optimizer's state in host memory; left out: as memory tells. Changes no bit
};

/** L2 norms over all adapted matrices: of what adapters add, and of what rounding then takes from the sums. */
struct MergeLoss {
  double update = 0, lost = 0;
};

class Model {
 public:
  explicit Model(const ModelSpec& spec, const StopFlag& stop = nullptr);

  RolloutResult rollout(const std::vector<RolloutRequest>& requests, const Sampling& sampling,
                        const RolloutHooks& hooks, const StopFlag& stop);
  /** Workers that compute calls which come one by one; the caller closes it, and `stop` ends it. While it is open the
   * weights must stay: what would change or sample them throws. */
  std::shared_ptr<Session> open_session(const StopFlag& stop);
  /** Of every response token under softmax(logits / temperature). */
  std::vector<std::vector<float>> logprobs(const std::vector<Example>& examples, double temperature,
                                           const StopFlag& stop) const;
  /** Scores at the given response-token indices. */
  std::vector<std::vector<float>> score(const std::vector<Example>& examples,
                                        const std::vector<std::vector<uint32_t>>& at, const StopFlag& stop) const;
  /** Of a model that the ranks of `group` train together all of them make these calls, and in the same order: steps on
   * the same batch; files are written by the ranks in turn, and read by every one. Gives the moments that checkpoints
   * hold. */
  std::vector<StateTensor> set_optimizer(const OptimizerSettings& settings, bool small_moments = false,
                                         std::shared_ptr<Group> group = nullptr, ExchangeSizes sizes = {});
  StepReport train_step(const std::vector<Example>& batch, const Objective& objective, const StopFlag& stop);
  /** Tensors are parameters, moments, or with `merged.` before its name a matrix with its adapter added in float32. */
  void save(const std::vector<SaveFile>& files) const;
  /** What merging adapters into these parameters loses when the sums are rounded to these types. */
  MergeLoss merge_loss(const std::vector<SaveTensor>& tensors) const;
  void restore(const std::vector<WeightFile>& files, int64_t version);
  /** Throws where the model has a reward head and none is wanted, or none and one is. */
  void check_head(bool wanted) const;

  const Backbone& backbone() const { return *backbone_; }
  const Parameters& parameters() const { return parameters_; }
  LossContext loss_context() const { return {*backbone_, parameters_, threads_, token_budget_, recompute_}; }
  int64_t version() const { return optimizer_ ? optimizer_->steps() : 0; }

 private:
  /** Whether a name of a file is of a moment; throws where it is and there is no optimizer. */
  bool is_moment(const std::string& name) const;
  void forget_executors();
  /** What sessions compute with; throws where one is open. */
  RolloutContext rollout_context();
  void draw_weights(uint64_t seed);

  std::unique_ptr<Backbone> backbone_;
  Parameters parameters_;
  int threads_;
  bool tensor_decode_;
  bool deterministic_;
  int64_t kv_bytes_, token_budget_;
  std::optional<Recompute> recompute_;
  std::optional<bool> offload_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Executors> executors_;  // with the weights of the present version; none after a change
  std::weak_ptr<Session> session_;
  PromptCache prompts_;  // after the executors that its keys and values belong to
};

}  // namespace mstar
