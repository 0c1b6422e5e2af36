#pragma once
// Prompts that were prefilled for an earlier call of the same weights: their keys and values and the logits after them,
// the latest used kept. Used from several threads. Leaves when weights change to model.cpp.
#include <ATen/core/Tensor.h>

#include <list>
#include <map>
#include <mutex>
#include <optional>

#include "engine/rollout/segment.h"
#include "engine/types.h"

namespace mstar {

/** Tokens and the content keys of the pictures. */
using PromptKey = std::pair<std::vector<int64_t>, std::vector<std::string>>;

PromptKey key_of(const Prompt& prompt);

struct CachedPrompt {
  std::shared_ptr<Segment> segment;
  at::Tensor logits;  // [V] after the last token
};

class PromptCache {
 public:
  PromptCache() : quota_(std::make_shared<BlockQuota>(0)) {}
  std::optional<CachedPrompt> find(const PromptKey& key);
  /** Keeps the prompt if it fits, older ones giving way; its blocks are then counted here. */
  void keep(const PromptKey& key, const CachedPrompt& prompt);
  /** Blocks that may be kept from here on. */
  void limit(int64_t blocks);
  void clear();
  /** That are kept. */
  int64_t blocks() const { return quota_->used; }

 private:
  using Entry = std::pair<PromptKey, CachedPrompt>;
  void drop_oldest();
  std::mutex mutex_;
  std::shared_ptr<BlockQuota> quota_;
  std::list<Entry> entries_;  // latest used first
  std::map<PromptKey, std::list<Entry>::iterator> places_;
};

}  // namespace mstar
