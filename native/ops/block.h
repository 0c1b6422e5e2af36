#pragma once
// Keys and values lie in blocks of so many tokens, whatever computes with them.
#include <cstdint>

namespace mstar {

constexpr int64_t kBlockTokens = 16;

/** Blocks that `length` tokens take. */
constexpr int64_t blocks_for(int64_t length) { return (length + kBlockTokens - 1) / kBlockTokens; }

}  // namespace mstar
