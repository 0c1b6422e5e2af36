// See resampler.h. Keys get the two-dimensional positions of their patches, values and queries get none. The last
// projection multiplies from the right, untransposed.
#include "models/minicpm/resampler.h"

#include "ops/dense.h"

namespace mstar::minicpm {
namespace {

const std::string kName = "resampler.";

at::Tensor norm(const Shape& s, const Parameters& p, const std::string& which, const at::Tensor& x) {
  return at::layer_norm(x, {s.l_hidden}, p[kName + which + ".weight"], p[kName + which + ".bias"], s.resampler_eps);
}

/** [P, D]: sine and cosine of the column, then of the row, zero for padding. */
at::Tensor grid_positions(const Shape& s, Patches::Grid grid, int64_t patches) {
  const int64_t quarter = s.l_hidden / 4;
  const auto frequencies =
      at::reciprocal(at::pow(10000.0, at::arange(quarter, at::kFloat) / static_cast<double>(quarter)));
  const auto waves = [&](int64_t places) {
    const auto angles = at::outer(at::arange(places, at::kFloat), frequencies);
    return at::cat({angles.sin(), angles.cos()}, 1);
  };
  const auto columns = waves(grid.cols).unsqueeze(0).expand({grid.rows, -1, -1});
  const auto rows = waves(grid.rows).unsqueeze(1).expand({-1, grid.cols, -1});
  const auto flat = at::cat({columns, rows}, 2).reshape({grid.count(), s.l_hidden});
  return at::constant_pad_nd(flat, {0, 0, 0, patches - grid.count()});
}

/** [slices, 1, 1, P], true for real patches; undefined when there is no padding. */
at::Tensor key_mask(const std::vector<Patches::Grid>& grids, int64_t patches) {
  std::vector<int64_t> counts;
  for (const auto& grid : grids) counts.push_back(grid.count());
  if (std::all_of(counts.begin(), counts.end(), [&](int64_t n) { return n == patches; })) return {};
  const auto limits = at::tensor(counts, at::kLong).reshape({-1, 1, 1, 1});
  return at::arange(patches, at::kLong).lt(limits);
}

}  // namespace

void resampler_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t d = s.l_hidden;
  const std::vector<ParameterShape> own = {{kName + "query", {s.queries, d}},
                                           {kName + "kv_proj.weight", {d, s.v_hidden}},
                                           {kName + "attn.in_proj_weight", {3 * d, d}},
                                           {kName + "attn.in_proj_bias", {3 * d}},
                                           {kName + "attn.out_proj.weight", {d, d}},
                                           {kName + "attn.out_proj.bias", {d}},
                                           {kName + "ln_q.weight", {d}},
                                           {kName + "ln_q.bias", {d}},
                                           {kName + "ln_kv.weight", {d}},
                                           {kName + "ln_kv.bias", {d}},
                                           {kName + "ln_post.weight", {d}},
                                           {kName + "ln_post.bias", {d}},
                                           {kName + "proj", {d, d}}};
  out.insert(out.end(), own.begin(), own.end());
}

at::Tensor resample(const Shape& s, const Parameters& p, const at::Tensor& x_SPC,
                    const std::vector<Patches::Grid>& grids) {
  const int64_t slices = x_SPC.size(0), patches = x_SPC.size(1), d = s.l_hidden;
  std::vector<at::Tensor> positions;
  for (const auto& grid : grids) positions.push_back(grid_positions(s, grid, patches));
  const auto values_SPD = norm(s, p, "ln_kv", dense(x_SPC, p[kName + "kv_proj.weight"]));
  const auto keys_SPD = values_SPD + at::stack(positions).to(values_SPD.options());
  const auto queries_QD = norm(s, p, "ln_q", p[kName + "query"]);

  const auto weights = p[kName + "attn.in_proj_weight"].split(d), biases = p[kName + "attn.in_proj_bias"].split(d);
  const auto heads = [&](const at::Tensor& x, size_t part) {
    const auto y = dense(x, weights[part], biases[part]);
    return y.reshape({-1, x.size(-2), s.resampler_heads(), s.resampler_head_dim}).transpose(1, 2);
  };
  auto mask = key_mask(grids, patches);
  if (mask.defined()) mask = mask.to(x_SPC.device());
  const auto q = heads(queries_QD, 0).expand({slices, -1, -1, -1});
  const auto mixed = at::scaled_dot_product_attention(q, heads(keys_SPD, 1), heads(values_SPD, 2),
                                                      mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt);
  const auto out = dense(mixed.transpose(1, 2).reshape({slices, s.queries, d}), p[kName + "attn.out_proj.weight"],
                         p[kName + "attn.out_proj.bias"]);
  return dense(norm(s, p, "ln_post", out), p[kName + "proj"].t());
}

}  // namespace mstar::minicpm
