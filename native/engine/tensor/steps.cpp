// See steps.h.
#include "engine/tensor/steps.h"

#include <bit>

namespace mstar {
namespace {

/** All that a recorded step has fixed besides its tensors' contents. */
std::vector<int64_t> shape_of(const TensorRows& rows, const Sampling& sampling) {
  std::vector<int64_t> shape{rows.own.size(),
                             rows.own.table.size(1),
                             std::bit_cast<int64_t>(sampling.temperature),
                             std::bit_cast<int64_t>(sampling.top_p),
                             sampling.top_k,
                             sampling.scaled_logprobs};
  for (const auto& [spans, copies] : rows.levels)
    shape.insert(shape.end(), {copies, spans.size(), spans.most_queries, spans.longest});
  return shape;
}

template <class Visit>
void each_tensor(TensorRows& to, const TensorRows& from, const Visit& visit) {
  visit(to.places, from.places);
  visit(to.cosine, from.cosine);
  visit(to.sine, from.sine);
  visit(to.own.table, from.own.table);
  visit(to.own.lengths, from.own.lengths);
  for (size_t l = 0; l < to.levels.size(); ++l) {
    Spans& a = to.levels[l].spans;
    const Spans& b = from.levels[l].spans;
    visit(a.query_ends_device, b.query_ends_device);
    visit(a.begins_device, b.begins_device);
    visit(a.lengths_device, b.lengths_device);
  }
}

}  // namespace

DecodeSteps::DecodeSteps(const StepContext& context) : context_(context) {
  // A graph repeats what the device does, not what the host reads.
  const auto& options = context.decoder.options();
  if (attends_on_device(options, context.decoder.shape().head_dim)) graphs_ = device_graphs(options.device());
}

DrawnRows DecodeSteps::step(const TensorRows& rows, const at::Tensor& tokens, const at::Tensor& uniform,
                            const std::vector<DrawGroup>& draws) {
  const auto x = context_.backbone.embed(context_.parameters, tokens);
  const auto logits = context_.decoder.logits(context_.decoder.forward(context_.arena, rows, x));
  return draw_rows(logits, draws, uniform, context_.decoder.ops());
}

void DecodeSteps::record(Recorded& recorded, const TensorRows& rows, const StepInputs& inputs,
                         const std::vector<DrawGroup>& draws) {
  recorded.rows = rows;
  each_tensor(recorded.rows, rows, [](at::Tensor& own, const at::Tensor& given) { own = given.clone(); });
  recorded.tokens = inputs.tokens.clone();
  recorded.uniform = inputs.uniform[0].clone();
  recorded.graph = graphs_->capture([&] {
    recorded.drawn = step(recorded.rows, recorded.tokens, recorded.uniform, draws);
    recorded.tokens.copy_(recorded.drawn.tokens);
  });
}

DrawnRows DecodeSteps::run(TensorRows& rows, const StepInputs& inputs, const std::vector<DrawGroup>& draws,
                           int64_t steps) {
  std::vector<at::Tensor> tokens, logprobs;
  // Which rows draw in which way does not come again.
  const bool repeats = graphs_ && draws.size() == 1;
  Recorded* recorded = repeats ? &recorded_[shape_of(rows, draws[0].sampling)] : nullptr;
  if (recorded != nullptr && ++recorded->runs == 2) {
    inputs.set(rows, 0);
    record(*recorded, rows, inputs, draws);
  }
  const bool replays = recorded != nullptr && recorded->graph;
  if (replays) recorded->tokens.copy_(inputs.tokens);
  at::Tensor last = inputs.tokens;
  for (int64_t s = 0; s < steps; ++s) {
    inputs.set(rows, s);
    if (replays) {
      each_tensor(recorded->rows, rows, [](at::Tensor& own, const at::Tensor& given) { own.copy_(given); });
      recorded->uniform.copy_(inputs.uniform[s]);
      recorded->graph->replay();
      tokens.push_back(recorded->tokens.clone());
      logprobs.push_back(recorded->drawn.logprobs.clone());
      continue;
    }
    const auto drawn = step(rows, last, inputs.uniform[s], draws);
    last = drawn.tokens;
    tokens.push_back(drawn.tokens);
    logprobs.push_back(drawn.logprobs);
  }
  return {at::stack(tokens).cpu(), at::stack(logprobs).cpu()};
}

}  // namespace mstar
