#pragma once
// Computing fresh sequences on a device: prompts, prefixes that continue them, and sequences made anew. As many as are
// given in one pass; or, where results must not depend on what else is computed, each by itself in pieces of one size.
#include "engine/device_batch.h"

namespace mstar {

/** A sequence to prefill: embeddings [L, D], where its keys go, what it continues. */
struct Fresh {
  at::Tensor embedded;
  ArenaSpanPtr span;
  std::vector<View> before;
  int64_t length() const { return embedded.size(0); }
};

class DevicePrefill {
 public:
  /** `scratch`: a place of the arena that rows of padding may write to. */
  DevicePrefill(const DeviceDecoder& decoder, KvArena& arena, bool deterministic, int64_t scratch)
      : decoder_(decoder), arena_(arena), deterministic_(deterministic), scratch_(scratch) {}
  /** Logits [wanted, V] at the wanted rows (ascending) of the sequences laid end to end. */
  at::Tensor run(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted);
  /** Tokens computed so far. */
  int64_t tokens() const { return tokens_; }

 private:
  at::Tensor together(const std::vector<Fresh>& fresh);
  at::Tensor in_pieces(const Fresh& sequence);
  at::Tensor logits(const at::Tensor& hidden) const;

  const DeviceDecoder& decoder_;
  KvArena& arena_;
  bool deterministic_;
  int64_t scratch_, tokens_ = 0;
};

}  // namespace mstar
