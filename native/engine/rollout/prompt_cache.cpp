// See prompt_cache.h.
#include "engine/rollout/prompt_cache.h"

namespace mstar {

PromptKey key_of(const Prompt& prompt) {
  PromptKey key{prompt.tokens, {}};
  for (const auto& image : prompt.images) key.second.push_back(image->key);
  return key;
}

std::optional<CachedPrompt> PromptCache::find(const PromptKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return entries_.front().second;
}

void PromptCache::keep(const PromptKey& key, const CachedPrompt& prompt) {
  const std::lock_guard lock(mutex_);
  const int64_t blocks = prompt.segment->blocks();
  if (blocks > quota_->limit || places_.contains(key)) return;
  while (quota_->free() < blocks && !entries_.empty()) drop_oldest();
  // A prompt that was dropped counts until its last row ends.
  if (quota_->free() < blocks) return;
  prompt.segment->charge(quota_);
  entries_.emplace_front(key, prompt);
  places_[key] = entries_.begin();
}

void PromptCache::drop_oldest() {
  places_.erase(entries_.back().first);
  entries_.pop_back();
}

void PromptCache::limit(int64_t blocks) {
  const std::lock_guard lock(mutex_);
  quota_->limit = blocks;
  while (quota_->free() < 0 && !entries_.empty()) drop_oldest();
}

void PromptCache::clear() {
  const std::lock_guard lock(mutex_);
  places_.clear();
  entries_.clear();
}

}  // namespace mstar
