// See micro_batch.h. Groups of one prompt go, the longest first, to the micro-batch that is the shortest so far.
#include "engine/micro_batch.h"

#include "engine/forward.h"
#include "engine/rollout/prompt_cache.h"

namespace mstar {
namespace {

/** Examples that are computed as one tree. */
struct Group {
  std::vector<size_t> members;
  int64_t tokens = 0, longest = 0;
};

/** In the order in which their first members appear. */
std::vector<Group> groups_of(const Backbone& backbone, const std::vector<Example>& batch, int64_t budget) {
  std::vector<Group> groups;
  std::map<PromptKey, std::vector<size_t>> known;  // groups of each prompt
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto response = static_cast<int64_t>(batch[i].response.size());
    const auto length = static_cast<int64_t>(batch[i].prompt.tokens.size()) + response;
    auto& same_prompt = known[key_of(batch[i].prompt)];
    const auto place = std::find_if(same_prompt.begin(), same_prompt.end(), [&](size_t g) {
      return groups[g].tokens + response <= budget && rotate_alike(backbone, groups[g].longest, length);
    });
    if (place == same_prompt.end()) {
      same_prompt.push_back(groups.size());
      groups.push_back({{i}, length, length});
      continue;
    }
    Group& group = groups[*place];
    group.members.push_back(i);
    group.tokens += response;
    group.longest = std::max(group.longest, length);
  }
  return groups;
}

}  // namespace

std::vector<MicroBatch> micro_batches(const Backbone& backbone, const std::vector<Example>& batch, TakenBy taken,
                                      int64_t budget) {
  auto groups = groups_of(backbone, batch, budget);
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.tokens > b.tokens; });
  int64_t total = 0;
  for (const Group& group : groups) total += group.tokens;
  // Below 256 tokens packing weights and adding gradients would cost much beside the products.
  const int64_t share = taken == TakenBy::all ? budget : std::min(budget, std::clamp<int64_t>(total / 4, 256, 512));
  for (auto count = static_cast<size_t>((total + share - 1) / share);; ++count) {
    count = std::min(count, groups.size());
    std::vector<MicroBatch> parts(count);
    std::vector<int64_t> filled(count);
    for (const Group& group : groups) {
      const auto least = static_cast<size_t>(std::min_element(filled.begin(), filled.end()) - filled.begin());
      parts[least].insert(parts[least].end(), group.members.begin(), group.members.end());
      filled[least] += group.tokens;
    }
    if (count == groups.size() || *std::max_element(filled.begin(), filled.end()) <= budget) return parts;
  }
}

}  // namespace mstar
