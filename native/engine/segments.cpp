// See segments.h. Inside a segment there is a graph of its own, from a copy of its input that is a leaf to its output.
// Autograd orders nodes by age and adds what comes to one place in that order; a segment is as old among segments as
// its own nodes were among all, so that sums are made in the order that they would have in one graph.
#include "engine/segments.h"

#include <utility>

namespace mstar {
namespace {

thread_local Segments* current = nullptr;

}  // namespace

/** What a segment holds for its backward. */
struct Segments::Held : torch::CustomClassHolder {
  Segments* segments = nullptr;
  SegmentWork work;            // empty where the graph is kept
  at::Tensor x, y;             // y: with its graph, undefined where it is made again
  std::vector<size_t> leaves;  // that it reads
};

/** The node that autograd sees. */
struct Segments::Link : torch::autograd::Function<Link> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor&, const at::Tensor&,
                            const at::Tensor& y, const c10::intrusive_ptr<Held>& held) {
    context->saved_data["held"] = c10::IValue::make_capsule(held);
    return y.detach();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    auto& held = static_cast<Held&>(*context->saved_data["held"].toCapsule());
    const bool wanted = context->needs_input_grad(0);
    const at::AutoGradMode with_grad(true);
    at::Tensor x = std::move(held.x), y = std::move(held.y);
    if (held.work) {
      x = x.detach().requires_grad_(wanted);
      y = std::exchange(held.work, {})(x);
    }
    std::vector<at::Tensor> inputs;
    for (size_t leaf : held.leaves) inputs.push_back(held.segments->leaves_[leaf]);
    if (wanted) inputs.push_back(x);
    std::vector<at::Tensor> found(inputs.size());
    if (y.requires_grad()) found = torch::autograd::grad({y}, inputs, {grads[0]}, std::nullopt, false, true);
    y.reset();
    for (size_t i = 0; i < held.leaves.size(); ++i) held.segments->add(held.leaves[i], std::move(found[i]));
    return {wanted ? found.back() : at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor segment(Part part, const at::Tensor& x, SegmentWork work) {
  return current == nullptr ? work(x) : current->run(part, x, std::move(work));
}

Segments::Segments(const std::vector<at::Tensor>& leaves, Recompute recompute, Sink sink)
    : leaves_(leaves),
      recompute_(recompute),
      sink_(std::move(sink)),
      uses_(leaves.size()),
      sums_(leaves.size()),
      anchor_(at::empty({0}).requires_grad_(true)),
      between_(std::make_unique<Reads>()) {
  TORCH_CHECK(current == nullptr, "a forward by segments inside another");
  for (size_t i = 0; i < leaves.size(); ++i) index_.emplace(leaves[i].unsafeGetTensorImpl(), i);
  if (!recompute.one_graph) current = this;
}

Segments::~Segments() { current = nullptr; }

std::vector<size_t> Segments::leaves_in(const Reads& reads) {
  std::vector<size_t> found;
  for (const at::TensorImpl* tensor : reads.tensors())
    if (const auto leaf = index_.find(tensor); leaf != index_.end()) found.push_back(leaf->second);
  std::sort(found.begin(), found.end());
  return found;
}

at::Tensor Segments::run(Part part, const at::Tensor& x, SegmentWork work) {
  const bool again = recompute_.takes(part, layers_);
  if (part == Part::layer) ++layers_;
  const Reads reads;
  const auto held = c10::make_intrusive<Held>();
  at::Tensor y;
  {
    const at::AutoGradMode mode(!again);
    held->x = again ? x : x.detach().requires_grad_(x.requires_grad());
    y = work(held->x);
  }
  held->leaves = leaves_in(reads);
  // Nothing before or in it learns: there is nothing to go back for.
  if (!x.requires_grad() && held->leaves.empty()) return y.detach();
  for (size_t leaf : held->leaves) ++uses_[leaf];
  held->segments = this;
  if (again) {
    held->work = std::move(work);
  } else {
    held->y = y;
  }
  return Link::apply(x, anchor_, y.detach(), held);
}

/** Adds as autograd does, in the type that it made. */
void Segments::add(size_t leaf, at::Tensor grad) {
  at::Tensor& sum = sums_[leaf];
  if (grad.defined()) {
    const at::NoGradGuard no_grad;
    sum = sum.defined() ? sum + grad : std::move(grad);
  }
  if (--uses_[leaf] == 0 && sum.defined()) sink_(leaf, std::move(sum));
}

void Segments::backward(const at::Tensor& loss) {
  const auto outside = leaves_in(*between_);
  between_.reset();
  for (size_t leaf : outside) ++uses_[leaf];
  if (!loss.requires_grad()) return;
  std::vector<at::Tensor> inputs;
  for (size_t leaf : outside) inputs.push_back(leaves_[leaf]);
  inputs.push_back(anchor_);
  auto found = torch::autograd::grad({loss}, inputs, {}, std::nullopt, false, true);
  for (size_t i = 0; i < outside.size(); ++i) add(outside[i], std::move(found[i]));
  // A segment that nothing came back to has left its part of the sum open.
  for (size_t leaf = 0; leaf < sums_.size(); ++leaf)
    if (uses_[leaf] > 0 && sums_[leaf].defined()) sink_(leaf, std::move(sums_[leaf]));
}

}  // namespace mstar
