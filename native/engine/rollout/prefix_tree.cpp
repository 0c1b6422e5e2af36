// See prefix_tree.h.
#include "engine/rollout/prefix_tree.h"

#include <algorithm>
#include <map>

#include "engine/rollout/prompt_cache.h"

namespace mstar {
namespace {

bool starts(const std::vector<int64_t>& longer, const std::vector<int64_t>& shorter) {
  return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

void plan_chains(Unit& unit, const std::vector<RolloutRequest>& requests, std::vector<size_t> members) {
  // In descending lexicographic order a prefix comes right after everything that continues it.
  std::stable_sort(members.begin(), members.end(),
                   [&](size_t a, size_t b) { return requests[a].prefix > requests[b].prefix; });
  for (size_t member : members) {
    const auto& prefix = requests[member].prefix;
    const auto length = static_cast<int64_t>(prefix.size());
    unit.samples += requests[member].n;
    if (prefix.empty()) {
      unit.forks.push_back({member, -1, 0});
      continue;
    }
    if (unit.chains.empty() || !starts(unit.chains.back(), prefix)) unit.chains.push_back(prefix);
    unit.forks.push_back({member, static_cast<int64_t>(unit.chains.size()) - 1, length});
  }
  std::stable_sort(unit.forks.begin(), unit.forks.end(), [](const Fork& a, const Fork& b) {
    return a.chain != b.chain ? a.chain < b.chain : a.length < b.length;
  });
}

}  // namespace

std::vector<Unit> plan_units(const std::vector<RolloutRequest>& requests) {
  std::map<PromptKey, size_t> known;
  std::vector<Unit> units;
  std::vector<std::vector<size_t>> members;
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto [place, fresh] = known.emplace(key_of(requests[i].prompt), units.size());
    if (fresh) {
      units.emplace_back().prompt = &requests[i].prompt;
      members.emplace_back();
    }
    members[place->second].push_back(i);
  }
  for (size_t u = 0; u < units.size(); ++u) plan_chains(units[u], requests, members[u]);
  return units;
}

}  // namespace mstar
