#pragma once
// A few decode steps of a batch on a device, as graphs where the device has them and the shapes come again. Leaves
// what rows see to batch.h.
#include <map>

#include "base/device_graph.h"
#include "engine/tensor/batch.h"
#include "engine/tensor/draw.h"

namespace mstar {

/** What a step computes with; lives as long as the session. */
struct StepContext {
  const Backbone& backbone;
  const Parameters& parameters;
  const TensorDecoder& decoder;
  const KvArena& arena;
};

class DecodeSteps {
 public:
  explicit DecodeSteps(const StepContext& context);
  /** Draws a token per row and step: tokens int64 and log-probabilities float32 [steps, R], on the host. */
  DrawnRows run(TensorRows& rows, const StepInputs& inputs, const std::vector<DrawGroup>& draws, int64_t steps);

 private:
  /** Tensors of one shape of batch, and their graph once the shape has come twice. */
  struct Recorded {
    TensorRows rows;
    at::Tensor tokens, uniform;
    DrawnRows drawn;
    std::unique_ptr<DeviceGraph> graph;
    int64_t runs = 0;
  };

  DrawnRows step(const TensorRows& rows, const at::Tensor& tokens, const at::Tensor& uniform,
                 const std::vector<DrawGroup>& draws);
  void record(Recorded& recorded, const TensorRows& rows, const StepInputs& inputs,
              const std::vector<DrawGroup>& draws);

  StepContext context_;
  std::unique_ptr<DeviceGraphs> graphs_;
  std::map<std::vector<int64_t>, Recorded> recorded_;
};

}  // namespace mstar
