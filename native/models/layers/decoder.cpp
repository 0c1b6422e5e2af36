// See decoder.h.
#include "models/layers/decoder.h"

#include "ops/dense.h"

namespace mstar::layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** RMSNorm with a hand-written backward: one node and three saved tensors instead of six nodes. In float32 whatever x
 * is. */
struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, double eps) {
    const auto wide = x.to(at::kFloat);
    const auto inverse = wide.square().mean(-1, true).add_(eps).rsqrt_();
    context->save_for_backward({x, inverse, weight});
    return (wide * inverse).mul_(weight).to(x.scalar_type());
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &inverse = saved[1], &weight = saved[2];
    const auto normal = x.to(at::kFloat) * inverse, into = grads[0].to(at::kFloat);
    const auto scaled = into * weight;
    const auto along = (scaled * normal).mean(-1, true);
    const auto into_x = scaled.addcmul(normal, along, -1).mul_(inverse);
    return {into_x.to(x.scalar_type()), (into * normal).sum(0).to(weight.scalar_type()), at::Tensor()};
  }
};

at::Tensor rotated(const at::Tensor& given, const at::Tensor& cosine, const at::Tensor& sine) {
  const auto x = given.to(at::kFloat);
  const int64_t half = x.size(-1) / 2;
  const auto c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  auto out = at::empty(x.sizes(), x.options());
  const auto a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half);
  auto low = out.narrow(-1, 0, half), high = out.narrow(-1, half, half);
  at::mul_out(low, a, c);
  low.addcmul_(b, s, -1);
  at::mul_out(high, b, c);
  high.addcmul_(a, s);
  return out.to(given.scalar_type());
}

/** The backward of a rotation is the rotation by the opposite angle. */
struct RotateHalf : torch::autograd::Function<RotateHalf> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cosine,
                            const at::Tensor& sine) {
    context->save_for_backward({cosine, sine});
    return rotated(x, cosine, sine);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    return {rotated(grads[0], saved[0], saved[1].neg()), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x_ND, const at::Tensor& weight_D, double eps) {
  // On a GPU LibTorch has it as one kernel.
  if (!x_ND.is_cpu()) return at::rms_norm(x_ND, {x_ND.size(-1)}, weight_D, eps);
  return RmsNorm::apply(x_ND, weight_D, eps);
}

Rotation rotation_of(const std::vector<Tree>& trees, const std::function<Rope(int64_t)>& rope, at::Device device) {
  std::vector<at::Tensor> cosines, sines;
  for (const Tree& tree : trees) {
    const auto [frequencies, scale] = rope(tree.longest());
    const auto angles = at::outer(at::arange(tree.longest(), at::kFloat), frequencies);
    const auto cosine = angles.cos().mul_(scale), sine = angles.sin().mul_(scale);
    const auto add = [&](int64_t from, int64_t length) {
      cosines.push_back(cosine.narrow(0, from, length));
      sines.push_back(sine.narrow(0, from, length));
    };
    add(0, tree.trunk);
    for (int64_t length : tree.branches) add(tree.trunk, length);
  }
  return {at::cat(cosines).to(device), at::cat(sines).to(device)};
}

at::Tensor rotate_half(const at::Tensor& x_NHE, const Rotation& rotation) {
  return RotateHalf::apply(x_NHE, rotation.cosine, rotation.sine);
}

at::Tensor swiglu(const at::Tensor& x_ND, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down) {
  return dense(at::silu(dense(x_ND, gate)) * dense(x_ND, up), down);
}

}  // namespace mstar::layers
