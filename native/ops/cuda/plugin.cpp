// libmstar_cuda.so: FusedOps by the kernels beside this file. Opened at run time by base/device.cpp; the addon itself
// does not link it. Falls back to the plain versions for shapes that a kernel does not take.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include "ops/cuda/kernels.h"
#include "ops/fused.h"

namespace mstar {
namespace {

using cuda::bf16;

const bf16* in(const at::Tensor& tensor) { return static_cast<const bf16*>(tensor.const_data_ptr()); }
bf16* out(const at::Tensor& tensor) { return static_cast<bf16*>(tensor.mutable_data_ptr()); }
cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream(); }

/** Fills parts for a kernel and holds what contiguous() may make for them. */
class Held {
 public:
  Held(const std::vector<at::Tensor>& outs, const std::vector<at::Tensor>& lse, cuda::Part* parts) {
    for (size_t i = 0; i < outs.size(); ++i) {
      const auto& o = tensors_.emplace_back(outs[i].contiguous());
      parts[i].out = in(o);
      const auto& sums = tensors_.emplace_back(lse[i].stride(1) == 1 ? lse[i] : lse[i].contiguous());
      parts[i].lse = sums.const_data_ptr<float>();
      parts[i].lse_stride = sums.stride(0);
    }
  }

 private:
  std::vector<at::Tensor> tensors_;
};

class CudaOps final : public FusedOps {
 public:
  explicit CudaOps(const FusedOps& plain) : plain_(plain) {}

  at::Tensor rotate_and_store(const at::Tensor& given, const at::Tensor& cosine, const at::Tensor& sine,
                              const at::Tensor& places, const at::Tensor& keys, const at::Tensor& values,
                              const HeadShape& s) const override {
    const auto qkv = given.contiguous(), c = cosine.contiguous(), si = sine.contiguous(), p = places.contiguous();
    const int64_t rows = qkv.size(0);
    auto queries = at::empty({rows * s.group(), s.kv_heads, s.head_dim}, qkv.options());
    C10_CUDA_CHECK(
        cuda::rotate_and_store({in(qkv), c.const_data_ptr<float>(), si.const_data_ptr<float>(),
                                p.const_data_ptr<int64_t>(), out(keys), out(values), out(queries), rows,
                                static_cast<int>(s.heads), static_cast<int>(s.kv_heads), static_cast<int>(s.head_dim)},
                               stream()));
    return queries;
  }

  at::Tensor merge(const std::vector<at::Tensor>& outs, const std::vector<at::Tensor>& lse,
                   int64_t rows) const override {
    if (outs.size() > cuda::kMostParts) return plain_.merge(outs, lse, rows);
    const int64_t group = outs[0].size(0) / rows, k = outs[0].size(1), e = outs[0].size(2);
    cuda::Merge a{};
    const Held held(outs, lse, a.parts);
    auto merged = at::empty({rows, group * k * e}, outs[0].options());
    a.merged = out(merged);
    a.count = static_cast<int>(outs.size());
    a.rows = rows;
    a.group = static_cast<int>(group);
    a.kv_heads = static_cast<int>(k);
    a.head_dim = static_cast<int>(e);
    C10_CUDA_CHECK(cuda::merge(a, stream()));
    return merged;
  }

  at::Tensor attend_rows(const at::Tensor& given, const at::Tensor& keys, const at::Tensor& values,
                         const RowBlocks& own, const std::vector<at::Tensor>& outs, const std::vector<at::Tensor>& lse,
                         double scale) const override {
    const int64_t rows = own.size(), group = given.size(0) / rows, k = given.size(1), e = given.size(2);
    if (outs.size() > cuda::kMostParts || !cuda::takes_rows(static_cast<int>(group), static_cast<int>(e)))
      return plain_.attend_rows(given, keys, values, own, outs, lse, scale);
    const auto queries = given.contiguous(), table = own.table.contiguous(), lengths = own.lengths.contiguous();
    cuda::AttendRows a{};
    const Held held(outs, lse, a.parts);
    auto merged = at::empty({rows, group * k * e}, queries.options());
    a.queries = in(queries);
    a.keys = in(keys);
    a.values = in(values);
    a.table = table.const_data_ptr<int32_t>();
    a.width = own.table.size(1);
    a.lengths = lengths.const_data_ptr<int32_t>();
    a.count = static_cast<int>(outs.size());
    a.merged = out(merged);
    a.rows = rows;
    a.group = static_cast<int>(group);
    a.kv_heads = static_cast<int>(k);
    a.head_dim = static_cast<int>(e);
    a.scale = static_cast<float>(scale);
    C10_CUDA_CHECK(cuda::attend_rows(a, stream()));
    return merged;
  }

  at::Tensor add_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                      double eps) const override {
    if (!x.is_contiguous()) return plain_.add_norm(x, delta, weight, eps);
    const auto added = delta.defined() ? delta.contiguous() : delta;
    auto normal = at::empty_like(x);
    C10_CUDA_CHECK(cuda::add_norm({out(x), added.defined() ? in(added) : nullptr, in(weight), out(normal), x.size(0),
                                   x.size(1), static_cast<float>(eps)},
                                  stream()));
    return normal;
  }

  at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) const override {
    if (!gate.is_contiguous() || !up.is_contiguous() || gate.numel() % 2 != 0) return plain_.swiglu(gate, up);
    auto gated = at::empty_like(gate);
    C10_CUDA_CHECK(cuda::swiglu(in(gate), in(up), out(gated), gate.numel(), stream()));
    return gated;
  }

  std::pair<at::Tensor, at::Tensor> draw(const at::Tensor& given, double temperature,
                                         const at::Tensor& uniform) const override {
    const auto logits = given.stride(1) == 1 ? given : given.contiguous(), u = uniform.contiguous();
    auto tokens = at::empty({logits.size(0)}, logits.options().dtype(at::kLong));
    auto logprobs = at::empty({logits.size(0)}, logits.options().dtype(at::kFloat));
    C10_CUDA_CHECK(cuda::draw(
        {in(logits), u.const_data_ptr<float>(), tokens.mutable_data_ptr<int64_t>(), logprobs.mutable_data_ptr<float>(),
         logits.size(0), logits.size(1), logits.stride(0), static_cast<float>(temperature)},
        stream()));
    // NaN logits give a NaN log-probability, which the caller refuses; the token must still be a row of the table.
    return {tokens.clamp_max_(logits.size(1) - 1), logprobs};
  }

 private:
  const FusedOps& plain_;
};

}  // namespace
}  // namespace mstar

extern "C" __attribute__((visibility("default"))) const mstar::FusedOps* mstar_cuda_ops(const mstar::FusedOps* plain) {
  static const mstar::CudaOps ops(*plain);
  return &ops;
}
