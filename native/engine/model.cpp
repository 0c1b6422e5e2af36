// See model.h.
#include "engine/model.h"

#include <ATen/Parallel.h>

#include <filesystem>

#include "base/device.h"
#include "engine/packed/executor.h"
#include "engine/tensor/executor.h"

namespace mstar {
namespace {

const std::string kMerged = "merged.";
constexpr auto kSessionOpen = "a session of this model is open: close it first";

at::ScalarType type_named(const std::string& dtype) {
  if (dtype == "float32") return at::kFloat;
  TORCH_CHECK(dtype == "bfloat16", "dtype '", dtype, "' is not one of float32, bfloat16");
  return at::kBFloat16;
}

}  // namespace

Model::Model(const ModelSpec& spec, const StopFlag& stop)
    : backbone_(make_backbone(spec.backbone, Config(spec.config))),
      parameters_(backbone_->parameter_shapes(),
                  at::TensorOptions(type_named(spec.dtype)).device(open_device(spec.device))),
      threads_(spec.threads),
      // The packed executor knows the CPU only, and merges adapters into its copy of the weights: not in bfloat16.
      tensor_decode_(spec.tensor_decode || !parameters_.device().is_cpu() ||
                     (!spec.adapter.targets.empty() && spec.dtype != "float32")),
      deterministic_(spec.deterministic),
      kv_bytes_(spec.kv_bytes),
      token_budget_(spec.token_budget),
      recompute_(spec.recompute),
      offload_(spec.offload) {
  at::set_num_threads(threads_);
  const at::NoGradGuard no_grad;
  if (spec.head != Head::none) {
    // The head is float32 whatever the backbone is: its scores are compared with each other.
    const auto options = parameters_.options().dtype(at::kFloat);
    parameters_.add(kHeadWeight, at::zeros({1, backbone_->decoder_shape().hidden}, options));
    parameters_.add(kHeadBias, at::zeros({1}, options));
  }
  if (spec.random) draw_weights(*spec.random);
  parameters_.adapt(spec.adapter);
  for (const WeightFile& file : spec.weights) {
    const TensorReader reader(file.path);
    for (const TensorRange& range : file.tensors) {
      throw_if(stop);
      reader.read(range, parameters_[range.name]);
    }
  }
  if (spec.head == Head::mean)
    parameters_[kHeadWeight].copy_(parameters_[backbone_->embedding_name()].mean(0, true, at::kFloat));
}

void Model::draw_weights(uint64_t seed) {
  at::manual_seed(seed);
  for (const std::string& name : parameters_.names()) {
    const at::Tensor& value = parameters_[name];
    // Matrices keep the size of what flows through them; vectors are the scales and shifts of norms.
    if (value.dim() >= 2) {
      value.normal_(0, 0.02);
    } else {
      value.fill_(name.ends_with("bias") ? 0 : 1);
    }
  }
}

void Model::check_head(bool wanted) const {
  TORCH_CHECK(parameters_.has(kHeadWeight) == wanted,
              wanted ? "this model has no reward head: open it as a PRM" : "a PRM has no response objective");
}

RolloutResult Model::rollout(const std::vector<RolloutRequest>& requests, const Sampling& sampling,
                             const RolloutHooks& hooks, const StopFlag& stop) {
  return run_rollout(rollout_context(), requests, sampling, hooks, stop);
}

std::shared_ptr<Session> Model::open_session(const StopFlag& stop) {
  constexpr auto all = std::numeric_limits<int64_t>::max();
  const auto session = std::make_shared<Session>(rollout_context(), stop, all, all);
  session_ = session;
  return session;
}

RolloutContext Model::rollout_context() {
  TORCH_CHECK(session_.expired(), kSessionOpen);
  if (!executors_)
    executors_ = tensor_decode_ ? tensor_executors(*backbone_, parameters_, threads_, deterministic_)
                                : packed_executors(*backbone_, parameters_, threads_);
  return {*backbone_, parameters_, *executors_, prompts_, kv_bytes_};
}

std::vector<std::vector<float>> Model::logprobs(const std::vector<Example>& examples, double temperature,
                                                const StopFlag& stop) const {
  return response_logprobs(loss_context(), examples, temperature, stop);
}

std::vector<std::vector<float>> Model::score(const std::vector<Example>& examples,
                                             const std::vector<std::vector<uint32_t>>& at, const StopFlag& stop) const {
  check_head(true);
  TORCH_CHECK(at.size() == examples.size(), examples.size(), " examples but ", at.size(), " lists of positions");
  const auto all = response_scores(loss_context(), examples, stop);
  std::vector<std::vector<float>> chosen(at.size());
  for (size_t i = 0; i < at.size(); ++i)
    for (uint32_t index : at[i]) {
      TORCH_CHECK(index < all[i].size(), "position ", index, " is outside a response of ", all[i].size(), " tokens");
      chosen[i].push_back(all[i][index]);
    }
  return chosen;
}

std::vector<StateTensor> Model::set_optimizer(const OptimizerSettings& settings, bool small_moments,
                                              std::shared_ptr<Group> group, ExchangeSizes sizes) {
  // How much memory there is for the state tells where it lies.
  optimizer_.reset();
  forget_executors();
  const StateForm form{small_moments, offload_};
  optimizer_ = std::make_unique<Optimizer>(parameters_, settings, form, std::move(group), sizes);
  return optimizer_->state(parameters_);
}

StepReport Model::train_step(const std::vector<Example>& batch, const Objective& objective, const StopFlag& stop) {
  TORCH_CHECK(optimizer_, "set the optimizer before the first train step");
  check_head(objective.kind == Objective::step);
  at::set_num_threads(is_large(parameters_) ? threads_ : 1);
  // First, as keys, values and packed weights take memory that the backward has use for.
  forget_executors();
  auto gradients =
      loss_gradients(loss_context(), batch, objective, optimizer_->trained(), optimizer_->exchange(), stop);
  StepReport report;
  report.lr = optimizer_->next_lr();
  report.grad_norm = optimizer_->step(parameters_, gradients);
  report.loss = gradients.loss;
  report.tokens = gradients.tokens;
  if (objective.kind == Objective::policy) {
    const auto tokens = static_cast<double>(gradients.tokens);
    const auto& [clipped, kl, difference, largest] = gradients.policy;
    report.policy = PolicyMeasures{clipped / tokens, kl / tokens, difference / tokens, largest};
  }
  report.version = optimizer_->steps();
  return report;
}

bool Model::is_moment(const std::string& name) const {
  const bool is = Optimizer::names_moment(name);
  TORCH_CHECK(!is || optimizer_, "there is no optimizer state for ", name);
  return is;
}

void Model::forget_executors() {
  TORCH_CHECK(session_.expired(), kSessionOpen);
  prompts_.clear();
  executors_.reset();
}

void Model::save(const std::vector<SaveFile>& files) const {
  const auto ranks = static_cast<size_t>(optimizer_ ? optimizer_->exchange().ranks() : 1);
  const auto rank = static_cast<size_t>(optimizer_ ? optimizer_->exchange().rank() : 0);
  // Ranks that do not see the folder, as machines without a common disk do not, leave the writing to rank 0.
  const auto sees_folder = [&] {
    std::error_code none;
    return std::all_of(files.begin(), files.end(), [&](const SaveFile& file) {
      return std::filesystem::is_directory(std::filesystem::path(file.path).parent_path(), none);
    });
  };
  const size_t writers = ranks > 1 && optimizer_->exchange().all(sees_folder()) ? ranks : 1;
  const auto tensor_of = [&](const SaveTensor& wanted, size_t writer) {
    if (is_moment(wanted.name)) return optimizer_->moment(wanted.name, static_cast<int>(writer));
    if (wanted.name.starts_with(kMerged)) return parameters_.weight(wanted.name.substr(kMerged.size())).merged();
    const auto& value = parameters_[wanted.name];
    return optimizer_ && wanted.dtype == "F32" ? optimizer_->master(wanted.name, value, static_cast<int>(writer))
                                               : value;
  };
  std::exception_ptr failure;
  // A rank that can no longer write still gives the others what they write.
  const auto unless_failed = [&](const auto& work) {
    if (ranks == 1) return work();
    if (failure) return;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  };
  // Ranks take files in turn. Those of one turn grow side by side, so that disks are busy together and a rank holds one
  // whole tensor at a time.
  for (size_t first = 0; first < files.size(); first += writers) {
    const size_t last = std::min(first + writers, files.size()), mine = first + rank;
    std::optional<TensorWriter> writer;
    if (mine < last) unless_failed([&] { writer.emplace(files[mine]); });
    size_t most = 0;
    for (size_t f = first; f < last; ++f) most = std::max(most, files[f].tensors.size());
    for (size_t t = 0; t < most; ++t) {
      at::Tensor own;
      for (size_t f = first; f < last; ++f) {
        if (t >= files[f].tensors.size()) continue;
        const auto tensor = tensor_of(files[f].tensors[t], f - first);
        if (f == mine) own = tensor;
      }
      if (own.defined()) unless_failed([&] { writer->write(own, files[mine].tensors[t].dtype); });
    }
    if (mine < last) unless_failed([&] { writer->flush(); });
  }
  if (failure) std::rethrow_exception(failure);
}

MergeLoss Model::merge_loss(const std::vector<SaveTensor>& tensors) const {
  const at::NoGradGuard no_grad;
  double update = 0, lost = 0;
  const auto squares = [](const at::Tensor& x) { return x.square().sum(at::kDouble).item<double>(); };
  for (const SaveTensor& wanted : tensors) {
    const Weight weight = parameters_.weight(wanted.name);
    if (!weight.a.defined()) continue;
    const auto merged = weight.merged();
    update += squares(merged - weight.matrix.to(at::kFloat));
    lost += squares(merged.to(scalar_type(wanted.dtype)).to(at::kFloat) - merged);
  }
  return {std::sqrt(update), std::sqrt(lost)};
}

void Model::restore(const std::vector<WeightFile>& files, int64_t version) {
  const at::NoGradGuard no_grad;
  forget_executors();
  for (const WeightFile& file : files) {
    const TensorReader reader(file.path);
    for (const TensorRange& range : file.tensors) {
      if (is_moment(range.name)) {
        const auto [part, from, whole] = optimizer_->own_moment(range.name);
        reader.read(range, part, from, whole);
        continue;
      }
      const auto& value = parameters_[range.name];
      const auto exact = at::empty(value.sizes(), at::kFloat);
      reader.read(range, exact);
      if (optimizer_) {
        optimizer_->set_master(range.name, value, exact);
      } else {
        value.detach().copy_(exact);
      }
    }
  }
  if (optimizer_) optimizer_->set_steps(version);
}

}  // namespace mstar
