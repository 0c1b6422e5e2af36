#pragma once
// Computing fresh sequences on a device: prompts, prefixes that continue them, and sequences made anew. As many as are
// given in one pass; or, where results must not depend on what else is computed, each by itself in pieces of one size.
#include "engine/rollout/executor.h"
#include "engine/tensor/decoder.h"

namespace mstar {

class TensorPrefill {
 public:
  TensorPrefill(const TensorDecoder& decoder, const KvArena& arena, bool deterministic)
      : decoder_(decoder), arena_(arena), deterministic_(deterministic) {}
  /** Logits [wanted, V] at the wanted rows (ascending) of the sequences laid end to end; undefined where none is
   * wanted. */
  at::Tensor run(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted);

 private:
  at::Tensor together(const std::vector<Fresh>& fresh);
  at::Tensor in_pieces(const Fresh& sequence);
  at::Tensor logits(const at::Tensor& hidden) const;

  const TensorDecoder& decoder_;
  const KvArena& arena_;
  bool deterministic_;
};

}  // namespace mstar
