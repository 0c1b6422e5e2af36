// See decoder.h.
#include "models/layers/decoder.h"

#include <ATen/Parallel.h>

#include "ops/cpu/rows.h"
#include "ops/dense.h"

namespace mstar::layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Whether the kernels of ops/cpu take it. */
bool kernels_take(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

/** Angles that are worth a thread. */
constexpr int64_t kAngles = int64_t{1} << 12;

/** Rows that a thread takes together; gradients of weights are added up within them, then in their order. */
constexpr int64_t kRows = 64;

/** Calls work(first row, rows, index of the piece) for pieces of kRows rows, side by side where threads are allowed. */
template <typename Work>
void for_rows(int64_t rows, const Work& work) {
  at::parallel_for(0, (rows + kRows - 1) / kRows, 1, [&](int64_t from, int64_t to) {
    for (int64_t piece = from; piece < to; ++piece) work(piece * kRows, std::min(kRows, rows - piece * kRows), piece);
  });
}

/** RMSNorm with a hand-written backward: one node and two saved tensors instead of six nodes. In float32 whatever x
 * is. */
struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, const at::Tensor& weight, double eps) {
    const auto x = given.contiguous();
    context->save_for_backward({x, weight});
    context->saved_data["eps"] = eps;
    if (!kernels_take(x)) {
      const auto wide = x.to(at::kFloat);
      return (wide * inverse_of(wide, eps)).mul_(weight).to(x.scalar_type());
    }
    auto out = at::empty_like(x);
    const int64_t width = x.size(-1);
    const float *from = x.const_data_ptr<float>(), *scale = weight.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    for_rows(x.numel() / width, [&](int64_t first, int64_t rows, int64_t) {
      cpu::rms_norm(from + first * width, scale, static_cast<float>(eps), to + first * width, rows, width);
    });
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const double eps = context->saved_data["eps"].toDouble();
    const auto dy = grads[0].contiguous();
    if (!kernels_take(x)) {
      const auto wide = x.to(at::kFloat), inverse = inverse_of(wide, eps), normal = wide * inverse;
      const auto into = dy.to(at::kFloat), scaled = into * weight;
      const auto along = (scaled * normal).mean(-1, true);
      const auto into_x = scaled.addcmul(normal, along, -1).mul_(inverse);
      return {into_x.to(x.scalar_type()), (into * normal).sum(0).to(weight.scalar_type()), at::Tensor()};
    }
    const int64_t width = x.size(-1), rows = x.numel() / width;
    auto dx = at::empty_like(x), parts = at::zeros({(rows + kRows - 1) / kRows, width}, x.options());
    const float *from = x.const_data_ptr<float>(), *scale = weight.const_data_ptr<float>();
    const float* into = dy.const_data_ptr<float>();
    float *to = dx.mutable_data_ptr<float>(), *sums = parts.mutable_data_ptr<float>();
    for_rows(rows, [&](int64_t first, int64_t count, int64_t piece) {
      const int64_t at = first * width;
      cpu::rms_norm_backward(from + at, scale, static_cast<float>(eps), into + at, to + at, sums + piece * width, count,
                             width);
    });
    return {dx, parts.sum(0), at::Tensor()};
  }

 private:
  static at::Tensor inverse_of(const at::Tensor& wide, double eps) {
    return wide.square().mean(-1, true).add_(eps).rsqrt_();
  }
};

at::Tensor rotated(const at::Tensor& given, const at::Tensor& cosine, const at::Tensor& sine) {
  if (kernels_take(given)) {
    auto out = given.clone(at::MemoryFormat::Contiguous);
    const int64_t heads = out.size(1), width = out.size(2);
    float* to = out.mutable_data_ptr<float>();
    const float *c = cosine.const_data_ptr<float>(), *s = sine.const_data_ptr<float>();
    for_rows(out.size(0), [&](int64_t first, int64_t rows, int64_t) {
      for (int64_t r = first; r < first + rows; ++r)
        cpu::rotate_half(to + r * heads * width, c + r * width / 2, s + r * width / 2, heads, width);
    });
    return out;
  }
  const auto x = given.to(at::kFloat);
  const int64_t half = x.size(-1) / 2;
  const auto c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  const auto a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half);
  return at::cat({a * c - b * s, b * c + a * s}, -1).to(given.scalar_type());
}

/** silu(gate) * up in one pass each way; rows of both lie alike, as those of two halves of one product do. */
struct Gated : torch::autograd::Function<Gated> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate, const at::Tensor& up) {
    context->save_for_backward({gate, up});
    const int64_t width = gate.size(1), stride = gate.stride(0);
    auto out = at::empty(gate.sizes(), gate.options());
    const float *g = gate.const_data_ptr<float>(), *u = up.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    for_rows(gate.size(0), [&](int64_t first, int64_t rows, int64_t) {
      cpu::swiglu(g + first * stride, u + first * stride, stride, to + first * width, rows, width);
    });
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &gate = saved[0], &up = saved[1];
    const auto dy = grads[0].contiguous();
    const int64_t width = gate.size(1), stride = gate.stride(0);
    auto dgate = at::empty(gate.sizes(), gate.options()), dup = at::empty(gate.sizes(), gate.options());
    const float *g = gate.const_data_ptr<float>(), *u = up.const_data_ptr<float>(), *d = dy.const_data_ptr<float>();
    float *to_gate = dgate.mutable_data_ptr<float>(), *to_up = dup.mutable_data_ptr<float>();
    for_rows(gate.size(0), [&](int64_t first, int64_t rows, int64_t) {
      const int64_t at = first * width;
      cpu::swiglu_backward(g + first * stride, u + first * stride, stride, d + at, to_gate + at, to_up + at, rows,
                           width);
    });
    return {dgate, dup};
  }
};

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

/** Cosines and sines as the decode path on a CPU has them: LibTorch's own differ from those of C in last bits. */
std::pair<at::Tensor, at::Tensor> turns_of(const at::Tensor& given) {
  const auto angles = given.contiguous();
  auto cosine = at::empty_like(angles), sine = at::empty_like(angles);
  const float* from = angles.const_data_ptr<float>();
  float *c = cosine.mutable_data_ptr<float>(), *s = sine.mutable_data_ptr<float>();
  at::parallel_for(0, angles.numel(), kAngles, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) c[i] = std::cos(from[i]), s[i] = std::sin(from[i]);
  });
  return {cosine, sine};
}

/** Positions of the trunk and the longest branch [T, 3]. */
at::Tensor positions_of(const Tree& tree) {
  const auto text =
      (at::arange(tree.longest(), at::kFloat) + static_cast<double>(tree.shift)).unsqueeze(1).expand({-1, 3});
  if (tree.positions.empty()) return text;
  return at::cat({tensor_of(tree.positions), text.narrow(0, tree.trunk, tree.longest() - tree.trunk)});
}

/** See split_heads. A head is copied to its place and turned there, each way in one pass. */
struct SplitHeads : torch::autograd::Function<SplitHeads> {
  static variable_list forward(AutogradContext* context, const at::Tensor& given, int64_t key_heads,
                               const at::Tensor& cosine, const at::Tensor& sine) {
    const auto qkv = given.contiguous();
    const Places places(qkv.sizes(), key_heads);
    context->save_for_backward({cosine, sine});
    context->saved_data["key heads"] = key_heads;
    context->saved_data["sizes"] = qkv.sizes();
    variable_list parts;
    for (const int64_t heads : {places.queries, places.keys, places.keys})
      parts.push_back(at::empty({places.rows, places.groups * heads, places.width}, qkv.options()));
    const float *from = qkv.const_data_ptr<float>(), *c = cosine.const_data_ptr<float>();
    const float* s = sine.const_data_ptr<float>();
    for_rows(places.rows, [&](int64_t first, int64_t rows, int64_t) {
      for (int64_t r = first; r < first + rows; ++r)
        places.each(r, [&](size_t part, int64_t there, int64_t here) {
          float* head = parts[part].mutable_data_ptr<float>() + here;
          std::copy_n(from + there, places.width, head);
          if (part < 2) cpu::rotate_half(head, c + r * places.width / 2, s + r * places.width / 2, 1, places.width);
        });
    });
    return parts;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const Places places(sizes, context->saved_data["key heads"].toInt());
    const auto cosine = saved[0], back = saved[1].neg();
    auto slopes = at::empty(sizes, cosine.options());
    variable_list parts;
    for (const at::Tensor& grad : grads) parts.push_back(grad.contiguous());
    const float *c = cosine.const_data_ptr<float>(), *s = back.const_data_ptr<float>();
    float* to = slopes.mutable_data_ptr<float>();
    for_rows(places.rows, [&](int64_t first, int64_t rows, int64_t) {
      for (int64_t r = first; r < first + rows; ++r)
        places.each(r, [&](size_t part, int64_t there, int64_t here) {
          std::copy_n(parts[part].const_data_ptr<float>() + here, places.width, to + there);
          if (part < 2)
            cpu::rotate_half(to + there, c + r * places.width / 2, s + r * places.width / 2, 1, places.width);
        });
    });
    return {slopes, at::Tensor(), at::Tensor(), at::Tensor()};
  }

 private:
  /** Where heads lie in qkv [N, G, a + 2b, E] and in q, k and v. */
  struct Places {
    Places(at::IntArrayRef sizes, int64_t key_heads)
        : rows(sizes[0]), groups(sizes[1]), queries(sizes[2] - 2 * key_heads), keys(key_heads), width(sizes[3]) {}
    /** Calls work(0, 1 or 2 for q, k or v, place in qkv, place in that part) for every head of a row. */
    template <typename Work>
    void each(int64_t row, const Work& work) const {
      int64_t there = row * groups * (queries + 2 * keys) * width;
      for (int64_t group = 0; group < groups; ++group)
        for (size_t part = 0; part < 3; ++part) {
          const int64_t heads = part == 0 ? queries : keys;
          for (int64_t head = 0; head < heads; ++head, there += width)
            work(part, there, ((row * groups + group) * heads + head) * width);
        }
    }
    int64_t rows, groups, queries, keys, width;
  };
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
    const Rope own = rope(tree.longest());
    const auto angles = own.angles(positions_of(tree));
    const auto [c, s] = device.is_cpu() ? turns_of(angles) : std::pair{angles.cos(), angles.sin()};
    const auto cosine = c.mul_(own.scale), sine = s.mul_(own.scale);
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

Heads split_heads(const at::Tensor& qkv_NGHE, int64_t key_heads, const Rotation& rotation) {
  if (kernels_take(qkv_NGHE)) {
    const auto parts = SplitHeads::apply(qkv_NGHE, key_heads, rotation.cosine, rotation.sine);
    return {parts[0], parts[1], parts[2]};
  }
  const int64_t queries = qkv_NGHE.size(2) - 2 * key_heads;
  const auto part = [&](int64_t first, int64_t heads) { return qkv_NGHE.narrow(2, first, heads).flatten(1, 2); };
  return {rotate_half(part(0, queries), rotation), rotate_half(part(queries, key_heads), rotation),
          part(queries + key_heads, key_heads)};
}

at::Tensor gated(const at::Tensor& gate, const at::Tensor& up) {
  const bool alike = gate.stride(1) == 1 && up.stride(1) == 1 && gate.stride(0) == up.stride(0);
  return kernels_take(gate) && alike ? Gated::apply(gate, up) : at::silu(gate) * up;
}

at::Tensor swiglu(const at::Tensor& x_ND, const Weight& gate, const Weight& up, const Weight& down) {
  return dense(gated(dense(x_ND, gate), dense(x_ND, up)), down);
}

}  // namespace mstar::layers
