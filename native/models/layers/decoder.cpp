// See decoder.h. Padding stands on the right and attention is causal, so real tokens never see it and no mask is
// needed.
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

Rotation rotation_of(const std::vector<int64_t>& lengths, const std::function<Rope(int64_t)>& rope, at::Device device) {
  std::vector<at::Tensor> cosines, sines;
  for (int64_t length : lengths) {
    const auto [frequencies, scale] = rope(length);
    const auto angles = at::outer(at::arange(length, at::kFloat), frequencies);
    cosines.push_back(angles.cos().mul_(scale));
    sines.push_back(angles.sin().mul_(scale));
  }
  return {at::cat(cosines).to(device), at::cat(sines).to(device)};
}

at::Tensor rotate_half(const at::Tensor& x_NHE, const Rotation& rotation) {
  return RotateHalf::apply(x_NHE, rotation.cosine, rotation.sine);
}

Padding padding_of(const std::vector<int64_t>& lengths) {
  Padding padding;
  padding.sequences = static_cast<int64_t>(lengths.size());
  padding.longest = *std::max_element(lengths.begin(), lengths.end());
  if (std::all_of(lengths.begin(), lengths.end(), [&](int64_t n) { return n == padding.longest; })) return padding;
  std::vector<int64_t> place;
  for (size_t b = 0; b < lengths.size(); ++b)
    for (int64_t t = 0; t < lengths[b]; ++t) place.push_back(static_cast<int64_t>(b) * padding.longest + t);
  padding.place = at::tensor(place, at::kLong);
  return padding;
}

at::Tensor causal_attention(const at::Tensor& q_NHE, const at::Tensor& k_NKE, const at::Tensor& v_NKE,
                            const Padding& padding) {
  const auto place = padding.place.defined() ? padding.place.to(q_NHE.device()) : padding.place;
  const auto batched = [&](const at::Tensor& x) {
    const int64_t heads = x.size(1), width = x.size(2);
    at::Tensor padded = x;
    if (place.defined())
      padded = at::zeros({padding.sequences * padding.longest, heads, width}, x.options()).index_copy(0, place, x);
    return padded.reshape({padding.sequences, padding.longest, heads, width}).transpose(1, 2);
  };
  const auto out = at::scaled_dot_product_attention(batched(q_NHE), batched(k_NKE), batched(v_NKE), {}, 0.0, true,
                                                    std::nullopt, true);
  auto flat = out.transpose(1, 2).reshape({padding.sequences * padding.longest, -1});
  return place.defined() ? flat.index_select(0, place) : flat;
}

at::Tensor swiglu(const at::Tensor& x_ND, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down) {
  return dense(at::silu(dense(x_ND, gate)) * dense(x_ND, up), down);
}

}  // namespace mstar::layers
